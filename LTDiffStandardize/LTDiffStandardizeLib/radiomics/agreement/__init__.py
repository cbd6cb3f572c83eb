"""How well the features of a volume agree with those of a reference.

    classes         CCC of a class over regions: the group-wise comparison, the primary figure
    one_to_one      CCC, ICC, limits of agreement and error of every feature by itself
    paper_protocol  the paper's own figure
    combat          features adjusted without an image, as a comparator

Within: concordance, bootstrap, spread <- classes <- one_to_one, paper_protocol. Imports `features` and `regions`.
"""
from .classes import agreement_table, paired_difference
from .combat import combat, combat_table
from .concordance import LimitsOfAgreement, bland_altman, icc_3_1, lin_ccc, relative_error
from .one_to_one import FEATURE_AGREEMENT_KEYS, THRESHOLD, Trustworthy, feature_agreement, trustworthy
from .paper_protocol import paper_protocol
from .spread import SDRatio, sd_ratio, sd_ratio_of

__all__ = ["FEATURE_AGREEMENT_KEYS", "LimitsOfAgreement", "SDRatio", "THRESHOLD", "Trustworthy", "agreement_table", "bland_altman", "combat",
           "combat_table", "feature_agreement", "icc_3_1", "lin_ccc", "paired_difference", "paper_protocol", "relative_error", "sd_ratio",
           "sd_ratio_of", "trustworthy"]  # fmt: skip
