# The kernel's own tests of ftrace have the same results before nestrace is loaded, while it
# traces all functions, and after.
# kernels: debug-6.12
# slow: yes
# source: tools/testing/selftests/ftrace
# params: none
#
# There are some tests of 00basic, dynevent, event, ftrace, instances and kprobe for each way
# to use ftrace. These tests are left out:
#  - Tests that take long in emulation, because they patch all functions or read long lists
#    and traces: basic2, fgraph-multi, func-filter-glob, func_cpumask, func_event_triggers,
#    func_hotplug, func_profile*, func_set_ftrace_file, func_stack_tracer, multiple_kprobes.
#  - fgraph-profiler, which leaves a profiler of all functions enabled.
#  - Variants of tests that are here.
#  - Tests that only parse commands or format arguments.
#  - Tests of filters, triggers and histograms of events.
#  - Tests that need modules of their own: direct, *_module, trace_printk.
selected="00basic/basic4
	dynevent/add_remove_fprobe dynevent/fprobe_entry_arg
	event/event-pid
	ftrace/fgraph-filter ftrace/fgraph-filter-stack ftrace/fgraph-retval
	ftrace/func-filter-pid ftrace/func-filter-stacktrace
	ftrace/func_traceonoff_triggers ftrace/tracing-error-log
	instances/instance
	kprobe/add_and_remove kprobe/kprobe_ftrace kprobe/kprobe_multiprobe
	kprobe/kretprobe_args kprobe/profile"
enabled=/sys/kernel/tracing/enabled_functions

# selftests WHEN: write the result of each test to WHEN.results
selftests()
{
	/tests/ftrace/ftracetest -l "/tmp/$1" $(for test in $selected; do echo "/tests/ftrace/test.d/$test.tc"; done)
	# A line is: [1] description [PASS]
	sed -n 's/^\[[0-9]*\]\(.*\[[A-Z]*\]\)$/\1/p' "/tmp/$1/ftracetest.log" > "$1.results"
}

cat $enabled > before.enabled
selftests before >&2
# A test runs once, and once more in an instance if its flags say so.
count=$(echo $selected | wc -w)
ok "before nestrace is loaded: every test has a result" test "$(wc -l < before.results)" -ge "$count"
ok "before nestrace is loaded: every test passes" test "$(grep -c 'PASS' before.results)" = "$(wc -l < before.results)"
note "tests: $(wc -l < before.results)"

ok "the module can be loaded" insmod /tests/nestrace.ko
recorded r -b 8192 sh -c "selected='$selected'; $(text_of selftests); selftests during" >&2
is "nestrace record traces all functions meanwhile" $? 0
is "while nestrace traces all functions: the tests have the same results" "$(cat during.results)" "$(cat before.results)"
ok "all functions: every hit is recorded, lost, recursed or filtered" adds_up r
ok "all functions: there are more than ten million hits" test "$(counter r total hits)" -gt 10000000
grep '^#' r | show
row "the kernel's selftests of ftrace, all functions"
is "after nestrace record: the functions that ftrace traces are those of before" "$(cat $enabled)" "$(cat before.enabled)"
ok "the module can be unloaded" rmmod nestrace

selftests after >&2
is "after nestrace is unloaded: the tests have the same results" "$(cat after.results)" "$(cat before.results)"
is "after nestrace is unloaded: the functions that ftrace traces are those of before" "$(cat $enabled)" "$(cat before.enabled)"
for log in */*.tc-log.*; do
	[ ! -e "$log" ] || { echo "$log:"; tail -n 20 "$log"; } >&2
done
