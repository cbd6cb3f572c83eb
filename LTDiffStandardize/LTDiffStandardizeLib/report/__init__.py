"""A comparison as one HTML file that needs nothing else: pictures, tables, and what they say in words.

Within: pictures, words <- figures, tables; charts, tables <- evidence <- page. Imports `comparison`, `radiomics` and `volumes`.
"""
from .page import ReportChoices, ReportTexts, write_report

__all__ = ["ReportChoices", "ReportTexts", "write_report"]
