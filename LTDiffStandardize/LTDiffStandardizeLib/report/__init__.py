"""A comparison as one HTML file that needs nothing else: pictures, tables, and what they say in words.

Within: pictures, words <- figures, tables <- page. Imports `comparison`, `radiomics` and `volumes`.
"""
from .page import ReportTexts, write_report

__all__ = ["ReportTexts", "write_report"]
