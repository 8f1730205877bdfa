# Slshim - what an application in Perl may ask of the slshim that watches it: the functions of
# slshim.h, and the names that sites with mod_perl know from Apache2::SizeLimit.
#
#     use Slshim;
#
#     Slshim::limit(SL_MAX_UNSHARED => "200M");    # this worker's; in the master, all workers'
#     Slshim::limit_request(SL_MAX_GROWTH => "50M");  # for this request alone
#     Slshim::check();                             # measure when this request ends
#     Slshim::recycle();                           # leave when it has ended
#     Slshim::request_done();                      # requests are counted, not only connections
#     Slshim::measure("unshared");                 # bytes
#
# Each returns what it does in C: -1 where it fails, with the reason in $!. Where slshim is not
# preloaded each does nothing and returns undef.
#
#     use Slshim "Apache2::SizeLimit";
#
# in place of `use Apache2::SizeLimit` has that module's methods, functions and variables speak to
# slshim; sizes are in KB, and all other lines stay. SL_APPLICATION=1 lets them be the only limits.
# What differs: every worker is measured after every connection, whether or not a handler asks for
# it; the shared memory is the true one, whatever USE_SMAPS says; a worker with a connection that is
# kept alive leaves when that ends.
package Slshim;

use strict;
use warnings;

use FFI::Platypus 1.00;

my $library = FFI::Platypus->new(api => 1, lib => [undef]);

sub _function {
    my ($name, $arguments, $result) = @_;
    my $function = $library->find_symbol("slshim_$name")
        && $library->function("slshim_$name", [("string") x $arguments] => $result);

    return $function ? sub { $function->call(@_) } : sub { undef };
}

*limit = _function(limit => 2, "int");
*limit_request = _function(limit_request => 2, "int");
*check = _function(check => 0, "int");
*recycle = _function(recycle => 0, "int");
*request_done = _function(request_done => 0, "int");
*measure = _function(measure => 1, "sint64");

sub import {
    my ($class, $alias) = @_;

    Slshim::SizeLimit->_become($alias) if defined $alias;
}

# A variable of Apache2::SizeLimit's: who sets it sets a limit.
package Slshim::Variable;

sub TIESCALAR { my ($class, $set, $value) = @_; return bless {set => $set, value => $value}, $class }
sub FETCH { return $_[0]{value} }
sub STORE { my ($self, $value) = @_; $self->{value} = $value; $self->{set}->($value) }

# Apache2::SizeLimit's names.
package Slshim::SizeLimit;

our ($MAX_PROCESS_SIZE, $MIN_SHARE_SIZE, $MAX_UNSHARED_SIZE);
our $CHECK_EVERY_N_REQUESTS = 1;
our $USE_SMAPS = 1;
our $HOW_BIG_IS_IT = \&_check_size;

# A site whose limits do nothing is told so.
sub _set {
    my $done = Slshim::limit(@_);

    return if defined $done && $done == 0;
    my $why = defined $done ? "slshim says: $!" : "libslshim.so is not preloaded";
    warn "Slshim: $_[0]=$_[1] does nothing, for $why\n";
}

# Of a number of KB; 0, or none, is no limit.
sub _setter {
    my $variable = shift;

    return sub { _set($variable, ($_[0] || 0) . "K") };
}

tie $MAX_PROCESS_SIZE, "Slshim::Variable", _setter("SL_MAX_SIZE");
tie $MIN_SHARE_SIZE, "Slshim::Variable", _setter("SL_MIN_SHARED");
tie $MAX_UNSHARED_SIZE, "Slshim::Variable", _setter("SL_MAX_UNSHARED");
tie $CHECK_EVERY_N_REQUESTS, "Slshim::Variable",
    sub { _set("SL_CHECK_EVERY", $_[0] || 1) }, 1;

sub set_max_process_size { $MAX_PROCESS_SIZE = $_[1] }
sub set_min_shared_size { $MIN_SHARE_SIZE = $_[1] }
sub set_max_unshared_size { $MAX_UNSHARED_SIZE = $_[1] }
sub set_check_interval { $CHECK_EVERY_N_REQUESTS = $_[1] }
sub get_check_interval { return $CHECK_EVERY_N_REQUESTS }

sub setmax { $MAX_PROCESS_SIZE = $_[0]; Slshim::check() }
sub setmin { $MIN_SHARE_SIZE = $_[0]; Slshim::check() }
sub setmax_unshared { $MAX_UNSHARED_SIZE = $_[0]; Slshim::check() }

sub add_cleanup_handler { Slshim::check() }

# As a PerlCleanupHandler, at the end of each request; OK is 0.
sub handler {
    Slshim::request_done();
    return 0;
}

# Size, shared and unshared memory in KB; nothing without slshim.
sub _check_size {
    my @bytes = map { Slshim::measure($_) } qw(size shared unshared);

    return map { $_ >> 10 } grep { defined $_ && $_ >= 0 } @bytes;
}

sub _become {
    my ($class, $alias) = @_;

    no strict "refs";
    *{"${alias}::"} = *{"${class}::"};
    $INC{$alias =~ s{::}{/}gr . ".pm"} = __FILE__;
}

1;
