"""The command line.

``app`` parses and runs, ``commands`` holds one module a command, ``options`` the groups of options that commands share.
These import no more than is needed to parse and to print help; the other modules do the work of a command, and are
imported once it runs.
"""
