# Each signal that would end a process ends a recording well; the others do not end it.
# kernels: 6.1 6.12
# slow: yes
setup insmod /tests/nt_calls.ko

# except for SIGKILL; the C library uses 32 and 33 itself
for signals in "1 2 3 4 5 6 7 8 10 11 12 14 15" "16 24 26 27 29 30 31 32 33 34 50 64"; do
	record_all $signals
	for signal in $signals; do
		eval "kill -$signal \$recorder_$signal"
	done
	ended 200 $signals > bad
	is "signals that would kill end a recording, with all hits in the file: $signals" "$(cat bad)" ""
done
signals="13 18 23 25 28"
record_all $signals
for signal in $signals; do
	eval "kill -$signal \$recorder_$signal"
done
sleep 1
echo "task 100" > /proc/nt_calls
for signal in $signals; do
	eval "kill \$recorder_$signal"
done
ended 400 $signals > bad
is "SIGPIPE, SIGCONT, SIGURG, SIGXFSZ and SIGWINCH do not end a recording" "$(cat bad)" ""
