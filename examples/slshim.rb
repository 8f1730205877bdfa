# What an application in Ruby may ask of the slshim that watches it: the functions of slshim.h.
#
#     require "slshim"
#
#     Slshim.limit("SL_MAX_UNSHARED", "200M")    # this worker's, or, in the master, all workers'
#     Slshim.limit_request("SL_MAX_GROWTH", "50M")  # for this request alone
#     Slshim.check                               # measure when this request ends
#     Slshim.recycle                             # leave when it has ended
#     Slshim.request_done                        # requests are counted, not only connections
#     Slshim.measure("unshared")                 # bytes
#
# Each returns what it does in C: -1 where it fails, with the reason in Fiddle.last_error. Where
# slshim is not preloaded each does nothing and returns nil.

require "fiddle"

module Slshim
  def self.offer(name, arguments, result = Fiddle::TYPE_INT)
    found = Fiddle::Handle::DEFAULT["slshim_#{name}"]
    function = Fiddle::Function.new(found, [Fiddle::TYPE_VOIDP] * arguments, result)
    define_singleton_method(name) { |*texts| function.call(*texts.map(&:to_s)) }
  rescue Fiddle::DLError
    define_singleton_method(name) { |*| nil }
  end
  private_class_method :offer

  offer :limit, 2
  offer :limit_request, 2
  offer :check, 0
  offer :recycle, 0
  offer :request_done, 0
  offer :measure, 1, Fiddle::TYPE_LONG_LONG
end
