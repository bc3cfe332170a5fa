"""The page on which people draw; the one part of this project that knows Gradio."""

import os

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # before Gradio is imported: no request to another host
