# Functions of the idle path are traced while RCU is not watching: nestrace enters RCU.
# kernels: all
# slow: 6.12 debug-6.12
# record NAME SECONDS: record idle functions and test that there are any, so that a count of
# 0 in the report means something
record()
{
	ok "$1: nestrace record succeeds" nestrace record -q -b 8192 -l '*idle*' -o t.dat sleep "$2"
	setup nestrace report t.dat > r
	ok "$1: idle functions are hit" test "$(counter r total hits)" -gt 100
}

record "rcu=auto" 3
entered=$(counter r total rcu-entered)
note "hits for which nestrace entered RCU: $entered"
case $(uname -r) in
6.1.*)
	ok "rcu=auto: nestrace enters RCU for more than 100 hits" test "$entered" -gt 100
	ok "rcu=auto: the hits while RCU is not watching are recorded" grep -q 'default_idle <-\|arch_cpu_idle <-' r
	;;
*)
	is "rcu=auto: this kernel traces no function while RCU is not watching" "$entered" 0
	;;
esac
is "rcu=auto: no hit is lost because RCU is not watching" "$(counter r total no-rcu)" 0

setup rmmod nestrace
ok "rcu=warn: the module loads" insmod /tests/nestrace.ko rcu=warn
record "rcu=warn" 2
case $(uname -r) in
6.1.*) ok "rcu=warn: nestrace enters RCU for more than 100 hits" test "$(counter r total rcu-entered)" -gt 100 ;;
esac
is "rcu=warn: no hit is lost because RCU is not watching" "$(counter r total no-rcu)" 0

setup rmmod nestrace
ok "rcu=off: the module loads" insmod /tests/nestrace.ko rcu=off
ok "rcu=off: nestrace status says that RCU is not entered" sh -c 'nestrace status | grep -q "^RCU: not entered"'
record "rcu=off" 3
case $(uname -r) in
6.1.*)
	ok "rcu=off: more than 100 hits are lost because RCU is not watching" test "$(counter r total no-rcu)" -gt 100
	ok "rcu=off: these hits are not recorded" sh -c '! grep -q "default_idle <-" r'
	ok "rcu=off: the report says why they are lost" grep -q '^# lost: .* RCU was not watching' r
	;;
esac
is "rcu=off: nestrace never enters RCU" "$(counter r total rcu-entered)" 0
