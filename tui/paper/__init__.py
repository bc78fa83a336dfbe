"""`cornerstone paper`: the paper's tables and figures as text, Markdown, LaTeX, JSON or CSV."""
