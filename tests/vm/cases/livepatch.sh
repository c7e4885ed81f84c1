# nestrace livepatch shows livepatches, and names each task that holds a transition, with its frame and the reason.
# kernels: 6.1 6.12 debug-6.12 backports
# slow: 6.1 debug-6.12 backports
# cpus: 2
state=/sys/kernel/livepatch
target=/proc/nt_klp_target

# over PATCH: succeed once no transition of the patch is left
over()
{
	[ "$(cat $state/$1/transition 2>/dev/null || echo 0)" = 0 ]
}

# gone PATCH: disable a patch, and remove it
remove()
{
	echo 0 > $state/$1/enabled
	within_a_minute over $1
	within_a_minute rmmod $1
}

# look: let the file why have what holds the transition
look()
{
	sleep 1
	nestrace livepatch --why > why 2>&1
	show < why
}

# asleep FUNCTION: wait until a task sleeps in it
asleep()
{
	within_a_minute sh -c "cat /proc/[0-9]*/stack 2> /dev/null | grep -q ' $1+0x'"
}

# tasks: print how many tasks the file why has
tasks()
{
	grep -c "^  it changes: " why
}

is "no livepatch: it says so" "$(nestrace livepatch)" "there are no livepatches"
is "no transition: it says so" "$(nestrace livepatch --why)" "there is no transition"
says "--record without a livepatch" 125 "no function is patched" nestrace livepatch --record true
says "--record with --why" 2 "--record does not go with --why" nestrace livepatch --record --why
says "-l without --record" 2 "are for --record; add it" nestrace livepatch -l vfs_read
says "a COMMAND without --record" 2 "only --record takes a COMMAND" nestrace livepatch true

# ---- a patch that comes later
setup insmod /tests/nt_klp_target.ko
nestrace livepatch --record --patch nt_klp_one -l nt_kt_called -o klp.dat sh -c "echo 'call 10' > $target
	insmod /tests/nt_klp_one.ko; until [ \$(cat $state/nt_klp_one/transition) = 0 ]; do sleep 1; done
	sh -c 'echo \"call 20\" > $target'" > r 2> err
show < r
show < err
is "--record, a patch that comes later: calls before and after it" \
	"$(awk '$2 == "task" { calls += $3; old += $4; new += $5 } END { print calls, old, new }' r)" "30 10 20"
remove_all()
{
	remove nt_klp_one && rmmod nt_klp_target
}
setup remove_all

# ---- a target that comes later
setup insmod /tests/nt_klp_one.ko
setup within_a_minute over nt_klp_one
nestrace livepatch > r
show < r
ok "a target that is not loaded: each function says so" test "$(grep -c 'the module is not loaded' r)" = 3
setup insmod /tests/nt_klp_target.ko
nestrace livepatch > r
ok "a target that comes later: its functions are active" test "$(grep -c '  active$' r)" = 3
ok "the listing has the addresses of both versions" \
	grep -q "nt_kt_called *$(awk '$3 == "nt_kt_called" { print $1 }' /proc/kallsyms) -> $(awk '$3 == "new_nt_kt_called" { print $1; exit }' /proc/kallsyms)" r
remove nt_klp_one

# ---- tasks asleep in a function that is being patched
for kind in sleep thread-sleep; do
	sh -c "echo '$kind 0' > $target" &
	setup asleep nt_kt_sleep
	setup insmod /tests/nt_klp_one.ko
	look
	ok "$kind: one task holds the transition" grep -q "^transition of nt_klp_one to the patched version, for [0-9]* s: 1 task holds it" why
	is "$kind: no other task is named" "$(tasks)" 1
	ok "$kind: the frame in the way is the function's" grep -q "^  >  [0-9]*  nt_kt_sleep+0x" why
	case $kind in
	sleep)
		ok "sleep: it is the task that sleeps in the function" grep -q "^sh-[0-9]*: it sleeps, interruptibly; frame [0-9]* is in nt_kt_sleep" why
		ok "sleep: the kernel interrupts it after 15 s" grep -q "it changes: once that function has returned; at the latest on its way to user mode" why ;;
	*)
		ok "thread-sleep: it is the kernel thread" grep -q "^nt_kt-[0-9]*, a kernel thread: it sleeps, uninterruptibly; frame [0-9]* is in nt_kt_sleep" why
		ok "thread-sleep: signals do not reach it" grep -q "you can: trigger what it waits for; it ignores signals" why ;;
	esac
	nestrace livepatch > r
	ok "$kind: the listing says that it is in transition" grep -q "^nt_klp_one: enabled; in transition of nt_klp_one to the patched version" r
	nestrace livepatch --watch > watched & watcher=$!
	setup within_a_minute grep -q "^  or: " watched
	echo "wake 0" > $target
	wait $watcher
	is "$kind: the watch ends with the transition" $? 0
	show < watched
	ok "$kind: the watch says that the task has changed or exited" grep -qE "[0-9] +(sh|nt_kt)-[0-9]*.* has (changed its version|exited)$" watched
	ok "$kind: the watch says that the transition is over" grep -q "  the transition is over$" watched
	wait
	remove nt_klp_one
done

# ---- a kernel thread that never sleeps
echo "thread-spin 1" > $target
setup insmod /tests/nt_klp_one.ko
look
is "thread-spin: no other task is named" "$(tasks)" 1
ok "thread-spin: it runs on a CPU, or waits for one in the function" \
	grep -qE "^nt_kt-[0-9]*, a kernel thread: (it runs on CPU [01]|it waits for a CPU; frame [0-9]* is in nt_kt_spin)" why
# a look may come while it is in a retpoline, which cannot be unwound
ok "thread-spin: it is seen in the function" within_a_minute sh -c 'nestrace livepatch --why | grep -q "  nt_kt_spin+0x"'
case $(uname -r) in
6.1.*) how="this kernel cannot change a kernel thread that runs" ;;
6.12.*) how="when it sleeps or calls cond_resched(), outside of what is patched" ;;
*) how="when it calls schedule(), outside of what is patched" ;;
esac
ok "thread-spin: how it changes is this kernel's way" grep -q "$how" why
says "--record beside a kernel thread that never sleeps" 1 "a kernel thread does not sleep: 'nt_kt-" nestrace livepatch --record -o klp.dat
echo "wake 0" > $target
setup within_a_minute over nt_klp_one
remove nt_klp_one

# ---- which versions calls run, while a thread has the original one
echo "thread-half 1" > $target
setup asleep nt_kt_sleep
setup insmod /tests/nt_klp_one.ko
# calls CONTEXT TASK COLUMN: print a number of the table in the file r
calls()
{
	awk -v context="$1" -v task="$2" -v column=$3 '$2 == context && $1 ~ task { n += $column } END { print n + 0 }' r
}
nestrace livepatch --record -o klp.dat sh -c "echo 'timer 500' > $target; sh -c 'echo \"call 30\" > $target'; sleep 1" > r 2> err
is "--record: COMMAND's exit status" $? 0
show < r
show < err
ok "--record: the thread in the old function runs originals only" \
	test "$(calls task ^nt_kt- 3)" -gt 5 -a "$(calls task ^nt_kt- 5)" = 0
# the recording may end between an entry and its original
ok "--record: each of its calls ran it" test $(($(calls task ^nt_kt- 3) - $(calls task ^nt_kt- 4))) -le 1
ok "--record: no call was dropped" sh -c '! grep -q DROPPED r'
is "--record: a new task runs the new version only" "$(calls task ^sh- 3) $(calls task ^sh- 4) $(calls task ^sh- 5)" "30 0 30"
is "--record: interrupts of the thread run what the thread has" "$(calls softirq . 3) $(calls softirq ^nt_kt- 4) $(calls softirq ^nt_kt- 5)" \
	"500 $(calls softirq ^nt_kt- 3) 0"
ok "--record: there are interrupts of the thread" test "$(calls softirq ^nt_kt- 3)" -gt 0
ok "--record: it says which task decides in an interrupt" grep -q "^# an interrupt or an NMI runs the version of the task that it interrupts" r
ok "--record: the file has events of originals that ran" sh -c 'nestrace report klp.dat | grep -q " original_[0-9]*_nt_kt_called: "'
is "--record: no kprobe is left" "$(cat /sys/kernel/tracing/kprobe_events)" ""
echo "wake 0" > $target
setup within_a_minute over nt_klp_one
nestrace livepatch --record -o klp.dat sh -c "echo 'call 30' > $target; echo 'drop 100' > $target" > r
show < r
is "--record: calls that ftrace dropped ran the original" "$(calls task ^sh- 3) $(calls task ^sh- 4) $(calls task ^sh- 5)" "230 100 230"
ok "--record: they are counted as dropped" grep -q "  100 DROPPED" r
ok "--record: it says why" grep -q "^# DROPPED: ftrace.s list function dropped 100 calls" r
nestrace livepatch --record -o klp.dat sh -c 'exit 3' > r
is "--record: a failing COMMAND's exit status" $? 3

# ---- stacked patches
setup insmod /tests/nt_klp_two.ko
setup within_a_minute over nt_klp_two
echo "call 100" > $target
is "stacked: the upper version runs" "$(cat $target)" 300
nestrace livepatch > r
show < r
ok "stacked: the lower version is covered" grep -q "nt_kt_called .*  covered by nt_klp_two, 1 of 2 from below" r
ok "stacked: the upper version is active" grep -q "nt_kt_called .*  active, 2 of 2 from below" r

# ---- unreliable stacks, and a reversal
for kind in thread-deep thread-lost; do
	echo "$kind 120" > $target
	setup asleep nt_kt_below
	echo 0 > $state/nt_klp_two/enabled
	look
	ok "$kind: it is an unpatching" grep -q "^transition of nt_klp_two to the original version" why
	is "$kind: no other task is named" "$(tasks)" 1
	if [ $kind = thread-deep ]; then
		ok "thread-deep: the stack is too deep" grep -q "^nt_kt-[0-9]*, .*its stack is deeper than the 99 frames" why
		ok "thread-deep: the recursion is shown short" test "$(wc -l < why)" -lt 20
	else
		ok "thread-lost: the frame that cannot be unwound is named" \
			grep -q "^nt_kt-[0-9]*, .*its stack is not reliable: the unwinder does not know the caller of frame [0-9]*, nt_kt_lost+0x" why
		ok "thread-lost: that frame is marked" grep -q "^  >  [0-9]*  nt_kt_lost+0x" why
	fi
	echo 1 > $state/nt_klp_two/enabled
	nestrace livepatch > r
	ok "$kind: a reversal is the other transition" sh -c 'grep -q "to the patched version" r || ! grep -q transition r'
	echo "wake 0" > $target
	setup within_a_minute over nt_klp_two
done

# ---- a task asleep in the new version
echo 0 > /sys/module/nt_klp_one/parameters/let_go
echo "thread-sleep 0" > $target
setup asleep new_nt_kt_sleep
remove nt_klp_two
echo 0 > $state/nt_klp_one/enabled
look
is "the new version: no other task is named" "$(tasks)" 1
ok "the new version: the frame in the way is its own" grep -q "frame [0-9]* is in new_nt_kt_sleep+0x[0-9a-f]*, a version of nt_kt_sleep" why
echo 1 > $state/nt_klp_one/enabled

# ---- atomic replace, forced
setup within_a_minute over nt_klp_one
setup insmod /tests/nt_klp_all.ko
look
ok "atomic replace: the task in what goes is named" grep -q "is in new_nt_kt_sleep+0x" why
nestrace livepatch > r
show < r
ok "atomic replace: the patch says so" grep -q "^nt_klp_all: enabled; it replaces all patches before it; in transition" r
ok "atomic replace: functions that it does not have become the original" grep -q "nt_kt_sleep .*, the original again" r
echo 1 > $state/nt_klp_all/force
setup within_a_minute over nt_klp_all
nestrace livepatch > r
show < r
ok "forced: the transition is over" sh -c '! grep -q transition r'
ok "forced: the patches before it are gone" sh -c '! grep -q nt_klp_one r'
echo 1 > /sys/module/nt_klp_one/parameters/let_go
echo "wake 0" > $target

# ---- a callback that takes its time
insmod /tests/nt_klp_slow.ko & insmod=$!
sleep 1
look
ok "a callback: the lock's owner is named" grep -q "^insmod-[0-9]*: it .*; it has the lock of livepatches" why
ok "a callback: its frame is shown" grep -q "^ *[0-9]*  before+0x" why
echo 1 > /sys/module/nt_klp_slow/parameters/let_go
wait $insmod
setup within_a_minute over nt_klp_slow

# ---- an idle task, while its CPU has no room for us
setup taskset -p 1 $$
echo "thread-busy 1" > $target
setup insmod /tests/nt_klp_idle.ko
look
ok "an idle task: it is named, with its CPU" grep -q "^swapper/1, the idle task of CPU 1: " why
ok "an idle task: the frame in the way is the function's" grep -q "^  > .*  schedule_idle+0x" why
ok "an idle task: how it changes is said" grep -q "it changes: in the idle loop" why
echo "wake 0" > $target
setup within_a_minute over nt_klp_idle
setup taskset -p 3 $$
remove nt_klp_idle

# ---- while everything is traced with returns, and NMIs come; there, livepatch itself makes 6.1 warn
[ "$(uname -r | cut -d. -f1-2)" != 6.1 ] || return 0
setup insmod /tests/nt_calls.ko
nestrace record -q --ret --flight -b 4096 -o t.dat sleep 1000 & recorder=$!
until_running
echo "thread-lost 0" > $target
setup asleep nt_kt_below
(while [ ! -e calm ]; do echo "nmi 50" > /proc/nt_calls; done) &
echo 0 > $state/nt_klp_slow/enabled
look
ok "with all returns traced: the task is named, with its frame" \
	grep -q "^nt_kt-[0-9]*, .*the unwinder does not know the caller of frame [0-9]*, nt_kt_lost+0x" why
touch calm
echo "wake 0" > $target
ok "with all returns traced: the transition completes" within_a_minute over nt_klp_slow
kill -INT $recorder
wait
