"""What an application in Python may ask of the slshim that watches it: the functions of slshim.h.

    import slshim

    slshim.limit("SL_MAX_UNSHARED", "200M")    # this worker's, or, in the master, all workers'
    slshim.limit_request("SL_MAX_GROWTH", "50M")  # for this request alone
    slshim.check()                             # measure when this request ends
    slshim.recycle()                           # leave when it has ended
    slshim.request_done()                      # requests are counted, not only connections
    slshim.measure("unshared")                 # bytes

Each returns what it does in C: -1 where it fails, with the reason in ctypes.get_errno(). Where
slshim is not preloaded each does nothing and returns None."""

import ctypes

_library = ctypes.CDLL(None, use_errno=True)


def _function(name, arguments, result=ctypes.c_int):
    function = getattr(_library, f"slshim_{name}", None)
    if function is None:
        return lambda *_: None
    function.argtypes, function.restype = [ctypes.c_char_p] * arguments, result
    return lambda *texts: function(*(str(text).encode() for text in texts))


limit = _function("limit", 2)
limit_request = _function("limit_request", 2)
check = _function("check", 0)
recycle = _function("recycle", 0)
request_done = _function("request_done", 0)
measure = _function("measure", 1, ctypes.c_longlong)
