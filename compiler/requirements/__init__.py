"""Which packages a function needs: from the imports that its code reaches to requirement lines.

What pip installs often has another name than what is imported; `distributions` knows the usual
cases. Versions come from what the user declared. Nothing is looked up on an index.
"""

from .declared import Declared as Declared
from .declared import read_declared as read_declared
from .distributions import SHARED_PACKAGES as SHARED_PACKAGES
from .files import wanted_lines as wanted_lines
from .lines import Need as Need
from .lines import Requirements as Requirements
from .lines import requirements as requirements
