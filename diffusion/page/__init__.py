"""The page on which people draw; the one part of this project that knows Gradio."""

import atexit
import os
import shutil
import tempfile

from ..errors import DoodleError

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # before Gradio is imported: no request to another host
if "GRADIO_TEMP_DIR" not in os.environ:  # a folder of its own, for nobody else's files are in it
    try:
        os.environ["GRADIO_TEMP_DIR"] = tempfile.mkdtemp(prefix="doodle-")
    except OSError as error:
        raise DoodleError("No folder for temporary files can be written to: set TMPDIR to one.") from error
    atexit.register(shutil.rmtree, os.environ["GRADIO_TEMP_DIR"], ignore_errors=True)
# At each call Gradio asks matplotlib, which training brings, for its backend. Where one is chosen, no fonts
# are looked for and nothing is written into anybody's home.
os.environ.setdefault("MPLBACKEND", "agg")
os.environ.setdefault("MPLCONFIGDIR", os.environ["GRADIO_TEMP_DIR"])
