"""The page on which people draw; the one part of this project that knows Gradio."""

import atexit
import os
import shutil
import tempfile

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # before Gradio is imported: no request to another host
if "GRADIO_TEMP_DIR" not in os.environ:  # a folder of its own, for nobody else's files are in it
    os.environ["GRADIO_TEMP_DIR"] = tempfile.mkdtemp(prefix="doodle-")
    atexit.register(shutil.rmtree, os.environ["GRADIO_TEMP_DIR"], ignore_errors=True)
