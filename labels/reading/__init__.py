"""Reading: pictures of labels, what the codes in them say, and whether a label is genuine.

A *picture* is a file: a photo, a scan or a PDF. It has *pages*, one as a rule. On a page are *codes*: QR codes, Data
Matrix, GS1-128, DataBar, EAN/UPC and ITF-14. Pictures come from anybody, so they are decoded in a process of their own.
"""
