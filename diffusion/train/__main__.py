"""`python -m diffusion.train`: see run.py."""

import sys

from .run import main

sys.exit(main())
