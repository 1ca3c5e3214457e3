"""`python -m graphc`"""

from .cli import main

main()
