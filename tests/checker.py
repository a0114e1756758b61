"""Checks arguments and results of all of Nurie against their annotations, shapes included, in tests only.

conftest.py imports this before anything of Nurie: modules that are there already are not checked.
"""

import numpy as np
from beartype import BeartypeConf, FrozenDict, beartype
from jaxtyping import install_import_hook
from torch import Tensor
from torch.fx import Proxy

# As the type checker has it: a number is also NumPy's, and the lowering traces nets with stand-ins for tensors.
AS_GOOD = {int: int | np.integer, float: float | int | np.floating | np.integer, Tensor: Tensor | Proxy}
checked = beartype(conf=BeartypeConf(hint_overrides=FrozenDict(AS_GOOD)))
install_import_hook("nurie", "checker.checked")
