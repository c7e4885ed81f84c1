# Functions of the idle path, traced with RCU asleep: it is woken for them.
# kernels: all
# record SECONDS: what it records must be there, for a count of 0 to mean something
record()
{
	ok "record" nestrace record -q -b 8192 -l '*idle*' -o t.dat sleep "$1"
	nestrace report t.dat > r
	ok "idle functions were hit" test "$(counter r total 3)" -gt 100
}

record 3
woken=$(counter r total 9)
note "hits for which RCU was woken: $woken"
case $(uname -r) in
6.1.*)
	ok "RCU was asleep for some hits and was woken" test "$woken" -gt 100
	ok "they are recorded" grep -q 'default_idle <-\|arch_cpu_idle <-' r
	;;
*)
	is "this kernel traces nothing with RCU asleep" "$woken" 0
	;;
esac
is "none is skipped" "$(counter r total 8)" 0

rmmod nestrace
ok "another way to wake: rcu=warn" insmod /tests/nestrace.ko rcu=warn
record 2
case $(uname -r) in
6.1.*) ok "it wakes RCU too" test "$(counter r total 9)" -gt 100 ;;
esac
is "none is skipped" "$(counter r total 8)" 0

rmmod nestrace
ok "the test switch: rcu=off" insmod /tests/nestrace.ko rcu=off
ok "status says so" sh -c 'nestrace status | grep -q "RCU: not woken"'
record 3
case $(uname -r) in
6.1.*)
	ok "hits with RCU asleep are skipped and counted" test "$(counter r total 8)" -gt 100
	ok "and not recorded" sh -c '! grep -q "default_idle <-" r'
	ok "and the report says why" grep -q 'lost: .* RCU was asleep' r
	;;
esac
is "RCU is never woken" "$(counter r total 9)" 0
