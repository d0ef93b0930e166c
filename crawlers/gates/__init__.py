"""Gates: hold back what looks broken until a person accepts it, judged by evidence about the same thing.

:mod:`.gate` decides when a crawl ends, by :mod:`.schedule`, :mod:`.listing` and :mod:`.fields`, with what
:mod:`.history` finds in the raw zone; the result is stored in the run report. :mod:`.holds` adds what happened since:
what loading found, and what a person accepted. Everybody else reads that.
"""
