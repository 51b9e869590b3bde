"""What an incident looks like on paper: facts in, Markdown and HTML out. Pure."""
