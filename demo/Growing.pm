# Growing.pm - a mod_perl handler with the fault that slshim is for: the master preloads data that
# every child shares, and each request unshares a little more of it.
#
#     PerlSetVar PreloadedMB 64       how much the master loads
#     PerlSetVar UnsharedKB  64       how much one request unshares
#     PerlSetVar TransientKB 4096     how much one request takes and frees again
#     PerlSetVar Work        10000    additions that one request makes, as if it had a purpose
#     PerlSetVar Files       1        how many files one request opens for good
#     PerlSetVar Witness     /file    a line for each child that runs its exit handlers
package Growing;

use strict;
use warnings;

use Apache2::Const -compile => qw(OK);
use Apache2::RequestIO   ();
use Apache2::RequestRec  ();
use Apache2::RequestUtil ();
use Apache2::ServerUtil  ();

my $page  = 4096;
my $bytes = Apache2::ServerUtil->server->dir_config('PreloadedMB') * 1024 * 1024;
my $data  = '';
$data .= 'x' x 65536 while length $data < $bytes;
my $at = 0;

# Beyond the preloaded data it is the heap that grows.
sub handler {
    my $r = shift;
    my $unshared = $r->dir_config('UnsharedKB') * 1024;
    my $sum      = 0;
    my $transient = 'y' x (($r->dir_config('TransientKB') || 0) * 1024);

    undef $transient; # a lexical keeps its memory otherwise

    for (1 .. $r->dir_config('Files') || 0) {
        open my $file, '<', '/dev/null' or die "/dev/null: $!";
        push @Growing::leak, $file;
    }
    $sum += $_ for 1 .. $r->dir_config('Work');
    for (my $end = $at + $unshared; $at < $end; $at += $page) {
        if ($at < $bytes) { substr($data, $at, 1) = 'y' }
        else              { push @Growing::leak, 'z' x $page }
    }
    $r->content_type('text/plain');
    $r->print("ok\n");
    return Apache2::Const::OK;
}

sub child_exit {
    my ($pool, $server) = @_;
    my $file = $server->dir_config('Witness') or return Apache2::Const::OK;

    open my $witness, '>>', $file or die "$file: $!";
    syswrite $witness, "$$\n";
    return Apache2::Const::OK;
}

1;
