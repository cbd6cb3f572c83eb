"""python feature_peers_child.py PEER CROP ROUNDS RESULT: one package beside our engine on one crop, in the environment of the peers."""
import environment  # noqa: F401, before the libraries that read it

import json
import logging
import sys
import warnings
from pathlib import Path

import numpy as np

from feature_peers_adapters import ADAPTERS
from feature_peers_ours import Ours
from features import milliseconds


def main(peer, crop, rounds, result):
    logging.disable(logging.CRITICAL)
    with np.load(crop) as arrays:
        hu, mask, spacing = arrays["hu"], arrays["mask"], tuple(map(float, arrays["spacing"]))
    ours, adapter = Ours(hu, mask).calls(), ADAPTERS[peer](hu, mask, spacing)
    warnings.simplefilter("ignore")  # after the imports, some of which set filters of their own
    found = milliseconds({"ours": ours, **adapter.calls}, int(rounds))
    times = {"ours": found["ours"], "peer": adapter.of_one_region(found)}
    Path(result).write_text(json.dumps({**times, "differences": differences(ours["together"](), adapter.values())}))


def differences(ours, peer):
    """{tag: relative difference} of the features that both define alike."""
    return {tag: abs(ours[tag] - value) / max(abs(value), 1e-12) for tag, value in peer.items() if tag in ours}


if __name__ == "__main__":
    main(*sys.argv[1:])
