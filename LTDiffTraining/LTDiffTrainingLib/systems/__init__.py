"""The systems of the paper behind one interface, trained by one command on the same pairs, and the closed-form filters' rivals."""
from LTDiffStandardizeLib.errors import InputError

from .system import System


def system_of(name: str) -> System:
    """Raises InputError, naming those there are."""
    systems = all_systems()
    if name not in systems:
        raise InputError(f"There is no system {name}; name one of {', '.join(systems)}.")
    return systems[name]


def all_systems() -> dict[str, System]:
    """In the order of the paper's tables, ours last."""
    from .ddpm import DDPM_SYSTEM
    from .diffusionct import DIFFUSIONCT
    from .literal import LITERAL
    from .ltdiff import LTDIFF
    from .stan_ct import STAN_CT
    from .unetplusplus import UNETPLUSPLUS

    return {system.name: system for system in (UNETPLUSPLUS, DDPM_SYSTEM, DIFFUSIONCT, STAN_CT, LITERAL, LTDIFF)}
