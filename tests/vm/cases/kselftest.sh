# The kernel's own tests of ftrace: they come out the same before nestrace is loaded, while
# it traces all functions, and after.
# kernels: debug-6.12
# slow: yes
# source: tools/testing/selftests/ftrace
# params: none
#
# From 00basic, dynevent, event, ftrace, instances and kprobe some for each way to use
# ftrace. Left out is: what takes long under emulation, by writing the text of all functions
# or reading long lists and traces of them (basic2, fgraph-multi, func-filter-glob,
# func_cpumask, func_event_triggers, func_hotplug, func_profile*, func_set_ftrace_file,
# func_stack_tracer, multiple_kprobes); fgraph-profiler, which leaves a profiler of all
# functions on for those after it; variants of those that are here; what only parses commands
# and formats arguments; filters, triggers and histograms of events; and what needs modules
# of its own (direct, *_module, trace_printk).
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

# selftests WHEN: results, test by test, to WHEN.results
selftests()
{
	/tests/ftrace/ftracetest -l "/tmp/$1" $(for test in $selected; do echo "/tests/ftrace/test.d/$test.tc"; done)
	# [1] its description [PASS]
	sed -n 's/^\[[0-9]*\]\(.*\[[A-Z]*\]\)$/\1/p' "/tmp/$1/ftracetest.log" > "$1.results"
}

cat $enabled > before.enabled
selftests before >&2
# each once, and those that have an instance in their flags once more in one
count=$(echo $selected | wc -w)
ok "the kernel's tests of ftrace came to their end" test "$(wc -l < before.results)" -ge "$count"
ok "and pass" test "$(grep -c 'PASS' before.results)" = "$(wc -l < before.results)"
note "tests: $(wc -l < before.results)"

ok "load" insmod /tests/nestrace.ko
nestrace stat -b 8192 -o r sh -c "selected='$selected'; $(text_of selftests); selftests during" >&2
is "all functions were traced meanwhile" $? 0
is "they have the same results" "$(cat during.results)" "$(cat before.results)"
ok "each hit is accounted for" adds_up r
ok "ten million hits at least" test "$(counter r total 3)" -gt 10000000
grep '^#' r | while read -r line; do note "$line"; done
row "the kernel's selftests of ftrace, all functions"
is "the same functions are traced as before" "$(cat $enabled)" "$(cat before.enabled)"
ok "unload" rmmod nestrace

selftests after >&2
is "after: they have the same results" "$(cat after.results)" "$(cat before.results)"
is "and the same functions are traced" "$(cat $enabled)" "$(cat before.enabled)"
for log in */*.tc-log.*; do
	[ ! -e "$log" ] || { echo "$log:"; tail -n 20 "$log"; } >&2
done
