<?php
/* What an application in PHP may ask of the slshim that watches it: the functions of slshim.h.
 *
 *     require 'slshim.php';
 *
 *     Slshim::limit('SL_MAX_UNSHARED', '200M');    // this worker's
 *     Slshim::limit_request('SL_MAX_GROWTH', '50M');  // for this request alone
 *     Slshim::check();                             // measure when this request ends
 *     Slshim::recycle();                           // leave when it has ended
 *     Slshim::request_done();                      // requests are counted, not only connections
 *     Slshim::measure('unshared');                 // bytes
 *
 * Each returns what it does in C: -1 where it fails. Where slshim is not preloaded, or PHP may not
 * call C (ffi.enable=1 in php.ini lets it), each does nothing and returns null. */

final class Slshim
{
    private const FUNCTIONS = <<<'C'
        int slshim_limit(const char *variable, const char *value);
        int slshim_limit_request(const char *variable, const char *value);
        int slshim_check(void);
        int slshim_recycle(void);
        int slshim_request_done(void);
        long long slshim_measure(const char *quantity);
        C;

    private static ?object $library = null;

    public static function __callStatic(string $name, array $texts): ?int
    {
        if (!class_exists('FFI')) {
            return null;
        }
        try {
            self::$library ??= FFI::cdef(self::FUNCTIONS);
            return self::$library->{"slshim_$name"}(...array_map('strval', $texts));
        } catch (FFI\Exception) {
            return null;
        }
    }
}
