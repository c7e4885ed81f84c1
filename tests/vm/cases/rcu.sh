# Functions of the idle path, traced with RCU asleep: it is woken for them.
# kernels: 6.1 6.12
nestrace record -q -b 8192 -l '*idle*' -o t.dat sleep 3
nestrace report t.dat > r
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
nestrace record -q -b 8192 -l '*idle*' -o t.dat sleep 2
nestrace report t.dat > r
case $(uname -r) in
6.1.*) ok "it wakes RCU too" test "$(counter r total 9)" -gt 100 ;;
esac
is "none is skipped" "$(counter r total 8)" 0

rmmod nestrace
ok "the test switch: rcu=off" insmod /tests/nestrace.ko rcu=off
ok "status says so" sh -c 'nestrace status | grep -q "RCU: not woken"'
nestrace record -q -b 8192 -l '*idle*' -o t.dat sleep 3
nestrace report t.dat > r
case $(uname -r) in
6.1.*)
	ok "hits with RCU asleep are skipped and counted" test "$(counter r total 8)" -gt 100
	ok "and not recorded" sh -c '! grep -q "default_idle <-" r'
	ok "and the report says why" grep -q 'lost: .* RCU was asleep' r
	;;
esac
is "RCU is never woken" "$(counter r total 9)" 0
