"""Logistic units: the numbers of pallets and cases (SSCC), each given once, and GS1's label for them."""
