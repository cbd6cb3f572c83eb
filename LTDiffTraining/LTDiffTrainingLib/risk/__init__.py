"""Future lung cancer risk, predicted by Sybil on the standard, the non-standard and the synthesized series of patients.

The case study of section VI of the paper. Sybil is a program of its own environment and is only ever run, never imported.

Within: cases, sybil <- predicting <- study; cases, sybil <- differences <- chart; study, chart <- files. Imports `cohort` of
LTDiffStandardizeLib, which makes the synthesized series, and `comparison.files`, `radiomics` and `report`, which tell the result.
"""
