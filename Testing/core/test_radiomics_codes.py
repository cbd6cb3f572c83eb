"""The coded names of features against DICOM's own list, and against the reference values of the IBSI digital phantom."""
import csv

import numpy as np
import pytest

from LTDiffStandardizeLib.radiomics.profiles.pyradiomics import CLASSES, PyRadiomicsProfile, available, extract
from LTDiffStandardizeLib.radiomics.reporting.codes import IBSI, PRIVATE, concept_of, unit_of

pytest.importorskip("highdicom")
needs_pyradiomics = pytest.mark.skipif(not available()[0], reason="PyRadiomics is not installed")

# IBSI's codes and the tags of its reference values, in the order of the reference manual.
TAGS = {
    "ID": ("stat_{}", "Q4LE mean ECT3 var KE2A skew Y12H median 1GSF min QG58 p10 8DWT p90 84IY max SALO iqr 2OJQ range 4FUA mad 1128 rmad "
                      "N8CA energy 5ZWQ rms"),
    "IH": ("ih_{}", "CH89 var 88K1 skew D2ZX mad 4RNL medad TLU2 entropy BJ5W uniformity"),
    "GLCM": ("cm_{}_3D_avg", "GYBY joint_max 60VM joint_avg UR99 joint_var TU9B joint_entr TF7R diff_avg D3YU diff_var NTRS diff_entr ZGXS sum_avg "
                             "P6QZ sum_entr 8ZQL energy ACUI contrast IB1Z inv_diff NDRX inv_diff_norm WF0Z inv_diff_mom 1QCO inv_diff_mom_norm "
                             "E8JP inv_var NI2N corr QWB0 auto_corr DG8W clust_tend 7NFM clust_shade AE86 clust_prom R8DG info_corr1 "
                             "JN9H info_corr2"),
    "GLRLM": ("rlm_{}_3D_avg", "22OV sre W4KF lre V3SW lgre G3QZ hgre HTZT srlge GD3A srhge IVPO lrlge 3KUM lrhge R5YN glnu OVBL glnu_norm "
                               "W92Y rlnu IC23 rlnu_norm 9ZK5 r_perc 8CE5 gl_var SXLW rl_var HJ9O rl_entr"),
    "NID": ("ngt_{}_3D", "QCDE coarseness 65HE contrast NQ30 busyness HDEZ complexity 1X9X strength"),
}  # fmt: skip


def tag_of(feature_class, code):
    form, text = TAGS[feature_class]
    words = text.split()
    return form.format(dict(zip(words[::2], words[1::2]))[code])


def test_every_code_of_ibsi_has_the_reference_value_on_the_phantom(shared_data):
    if not available()[0]:
        pytest.skip("PyRadiomics is not installed")
    import SimpleITK

    folder = shared_data / "features" / "ibsi-digital-phantom" / "nifti"
    image, mask = (SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(folder / name))) for name in ("image/phantom.nii.gz", "mask/mask.nii.gz"))
    with open(shared_data / "features" / "ibsi_digital_phantom_reference.csv", newline="", encoding="utf-8") as file:
        reference = {row["tag"]: float(row["value"]) for row in csv.DictReader(file)}
    values = extract(image.astype(np.int16), mask > 0, (2, 2, 2), force2d=False, bin_width=1)
    for feature_class, listed in IBSI.items():
        for feature, (code, _) in listed.items():
            expected = reference[tag_of(feature_class, code)]
            assert values[feature_class][feature] == pytest.approx(expected, rel=5e-3), (feature_class, feature)


def test_codes_that_dicom_lists_have_its_meaning_and_only_those_of_intensities_are_not_listed():
    from pydicom.sr.codedict import codes

    listed = {code.value: code.meaning for code in (getattr(codes.IBSI, keyword) for keyword in codes.IBSI.dir())}
    for feature_class, features in IBSI.items():
        for code, meaning in features.values():
            assert listed.get(code) == (None if feature_class == "ID" else meaning), code


@needs_pyradiomics
def test_every_feature_has_a_name_of_its_own_and_a_unit():
    names = PyRadiomicsProfile(CLASSES).names()
    concepts = [concept_of(name) for name in names]
    assert len({(concept.scheme_designator, concept.value) for concept in concepts}) == len(names)
    assert {name for name, concept in zip(names, concepts) if concept.scheme_designator == PRIVATE and name[0] != "GOH"} == {
        ("GLCM", "MCC"), ("ID", "Kurtosis"), ("ID", "TotalEnergy"), ("IH", "Kurtosis"), ("IH", "MaximumGradient"), ("IH", "MinimumGradient")}  # fmt: skip
    assert all(set(IBSI[feature_class]) <= {feature for one, feature in names if one == feature_class} for feature_class in IBSI)
    assert {unit_of(name).value for name in names} == {"1", "deg", "[hnsf'U]", "[hnsf'U]2", "[hnsf'U]2.mm3"}
