# nestrace audit finds a planted bug of each kind by name, and nothing beside it.
# kernels: 6.1 6.12 debug-6.12 backports
# slow: 6.1 debug-6.12 backports
# cpus: 2
setup insmod /tests/nt_bugs.ko
debug=$(grep -c lockdep_hardirqs_on /proc/kallsyms)

# found: the kind, function, caller and context of each finding in j
found()
{
	sed -nE 's/^\{"kind":"([^"]*)","function":"([^"]*)","caller":(null|"[^"]*"),"context":"([^"]*)","count":([0-9]*),.*/\1 \2 \3 \4 \5/p' j |
	sed 's/ null / - /; s/"//g' | sort
}

# the kernel's own: idle functions of 6.1 run with RCU not watching
case $(uname -r) in
6.1.*) idle='^rcu (arch_cpu_idle|amd_e400_idle|default_idle[a-z_]*|mwait_idle|acpi_[a-z_]*) ' ;;
*) idle='^$' ;;
esac

load='for i in 1 2; do ls -lR /sys > /dev/null; cat /proc/[0-9]*/maps > /dev/null; dd if=/dev/zero of=zeroes bs=64k count=100 2> /dev/null; done; rm zeroes'
nestrace audit --time 60 --json sh -c "$load" > j 2> err
is "under load: the exit status" $? 0
found > r
show < r
is "under load: nothing is found" "$(grep -vE "$idle" r)" ""
ok "there are many calls" test "$(grep -o '"calls":[0-9]*' j | cut -d : -f 2)" -gt 100000
case $(uname -r) in
6.1.*) ok "the idle functions of 6.1 are found" grep -qE "$idle" r ;;
esac
show < err

# plant BUG...: audit all functions while the bugs are planted three times each
plant()
{
	local bug
	for bug; do
		echo "echo '$bug 3' > /proc/nt_bugs"
	done > bugs
	nestrace audit --json --irqs-off 20ms --preempt-off 20ms sh -e bugs > j 2> err
	# a slow host can stop a CPU for that long, and the timer can interrupt a softirq
	found | grep -vE "$idle" | grep -vE '^(irqs|preempt)-off [^no]' |
	sed -E 's/_noprof / /; s/^(context nt_bug_in_hardirq on_timer) .*/\1/; s/^(irqs-off|preempt-off) (.*) [0-9]*$/\1 \2/; s/tasklet_action_common[^ ]*/tasklet_action_common/' | sort -u > r
	show < r
	show < err
}
# where the kernel checks for a function that may sleep, it is a splat
if [ "$debug" = 0 ]; then
	# on a kernel with another model of preemption might_sleep() calls nothing
	checked="sleep mutex_lock nt_bug_sleep task 3
sleep vmalloc nt_bug_alloc task 3
sleep vfree nt_bug_alloc task 3"
	plant sleep alloc context in-hardirq unwind irqs-off preempt-off bh-off softirq
else
	checked="lockdep nt_bug_lockdep plant_lockdep task 3"
	plant lockdep context in-hardirq unwind irqs-off preempt-off bh-off softirq
fi
is "each bug is found, and nothing beside it" "$(cat r)" "$(sort << EOF
$checked
context nt_bug_context plant_context hardirq 3
context nt_bug_in_hardirq on_timer
unwind nt_bug_unwind - task 1
irqs-off nt_bug_irqs_off plant_irqs_off task
preempt-off nt_bug_preempt_off plant_preempt_off task
preempt-off nt_bug_bh_off plant_bh_off task
preempt-off on_tasklet tasklet_action_common softirq
EOF
)"
ok "a stretch is as long as it was" grep -qE '"kind":"irqs-off","function":"nt_bug_irqs_off".*"longest_ns":(2[5-9]|[3-9].|...)......,' j

# an idle driver whose functions can be traced
if [ -d /sys/devices/system/cpu/cpuidle ]; then
setup sh -c 'echo "rcu 1" > /proc/nt_bugs'
nestrace audit --json --time 2 -l 'nt_bug*' > j
setup sh -c 'echo "rcu 0" > /proc/nt_bugs'
found | cut -d ' ' -f 1-4 > r
show < r
is "rcu" "$(cat r)" "rcu nt_bug_rcu nt_idle task"
ok "rcu: it says how nestrace entered RCU" grep -q '"detail":"nestrace entered RCU by ct_irq_enter()"' j
fi

# a clock source that can be traced
setup sh -c 'echo "recursion 1" > /proc/nt_bugs'
nestrace audit --json --time 1 -C mono -l 'vfs_*' -l 'nt_bug*' cat /proc/version > j
setup sh -c 'echo "recursion 0" > /proc/nt_bugs'
found | grep -vE "$idle" | cut -d ' ' -f 1-3 | sort -u > r
show < r
is "recursion" "$(cat r)" "recursion nt_bug_recursion -"

# baselines and exit statuses
bug='echo "context 1" > /proc/nt_bugs'
nestrace audit -l :mod:nt_bugs --fail-on context sh -c "$bug" > r
is "--fail-on: the kind is found" $? 1
ok "text: the finding" grep -q '^  nt_bug_context <- plant_context  hardirq  1 time, at ' r
ok "text: its stack" grep -q '^      => plant_context$' r
ok "text: what was not seen" grep -q 'functions: ftrace cannot trace them' r
nestrace audit -l :mod:nt_bugs --fail-on unwind,sleep sh -c "$bug" > r
is "--fail-on: it is another" $? 0
nestrace audit -l :mod:nt_bugs --fail-on all --baseline base --update sh -c "$bug" > r
is "--update: a new baseline" "$? $(grep -c "^context	nt_bug_context	plant_context	hardirq$" base)" "1 1"
nestrace audit -l :mod:nt_bugs --fail-on all --baseline base sh -c "$bug" > r
is "--baseline: nothing is new" $? 0
ok "--baseline: it says how many it has" grep -qE '0 findings, and [0-9]+ more in the baseline' r
nestrace audit --json -l :mod:nt_bugs --fail-on all --baseline base sh -c "$bug; echo 'in-hardirq 1' > /proc/nt_bugs" > j
is "--baseline: only what is new" "$? $(found | cut -d ' ' -f 1-3)" "1 context nt_bug_in_hardirq on_timer"
says "--update without a file" 2 "add --baseline FILE" nestrace audit --update true
says "no such baseline" 125 "no such baseline: 'none'" nestrace audit --baseline none true
says "no baseline" 125 "not a baseline of nestrace audit: '/proc/version', line 1" nestrace audit --baseline /proc/version true
says "no such kind" 2 "no such kind of finding: '--fail-on rcus'" nestrace audit --fail-on rcu,rcus true
says "no limit" 2 "add --irqs-off TIME" nestrace audit --fail-on irqs-off true
says "no time" 2 "not a time: '--irqs-off 5'" nestrace audit --irqs-off 5 true
says "the clock tsc" 2 "use global or mono" nestrace audit -C tsc true
says "no such command" 125 "cannot run 'none'" nestrace audit -l nt_bug_rcu none
says "a full disk" 125 "No space left" sh -c 'nestrace audit -l nt_bug_rcu true > /dev/full'

# a ring that is too small
nestrace audit -b 1 -l 'vfs_*' ls -lR /sys/kernel > r
ok "lost hits are reported" grep -qE '[0-9]+ of the [0-9]+ hits, which were lost; use a larger -b' r
setup rmmod nt_bugs
