"""Embedscope for programming agents: the same functions as the command line, as tools of an MCP server."""
