"""Printers: labels in the languages that label printers speak, and what such printers answer."""
