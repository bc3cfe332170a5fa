"""`python -m diffusion.evaluate`: see parts.py."""

import sys

from .parts import main

sys.exit(main())
