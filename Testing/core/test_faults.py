"""Whatever call on the output folder fails, or kills the run, a result is complete and verified, or absent; resuming completes it."""
import pytest
from fault_shim import injected, why_not

pytestmark = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))


def test_a_fault_at_every_call_leaves_complete_results_or_none_and_resuming_gives_the_clean_run():
    found = injected()
    assert found["violations"] == []
    assert found["disorders"] == []  # before a power loss
    assert found["unseen"] == []
    assert found["cases"] >= 300
    assert {"mkdir", "open", "write", "close", "fsync", "rename", "unlink", "rmdir"} <= found["points"].keys()


@pytest.mark.parametrize(("fault", "where", "words"), [
    ("no writing aside", "violations", "half a record"),
    ("no reading back", "violations", "says finished, but its files differ from those of a clean run"),
    ("no flushing", "disorders", "not flushed"),
])  # fmt: skip
def test_a_product_that_is_spoilt_is_noticed(fault, where, words):
    assert any(words in sentence for sentence in injected(["nifti"], fault=fault)[where])
