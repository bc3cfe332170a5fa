"""`python -m diffusion.train`: see trainer.py."""

import sys

from .trainer import main

sys.exit(main())
