"""The page: everything that knows of Gradio."""
