"""Agents: the tools of the command line, offered to programs by the Model Context Protocol."""
