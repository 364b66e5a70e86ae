"""What may go wrong through no fault of the program's, said in one sentence that its user can act on."""


class InputError(ValueError):
    """Something that was given cannot be used: what was expected, what came, where, and what to do.

    Pages show its text as it is; the command line prints it and ends with exit status 2.
    """


class Stopped(Exception):  # noqa: N818 - no error: the user asked for it
    """The user stopped a long piece of work. What was finished by then is kept where the caller says so."""
