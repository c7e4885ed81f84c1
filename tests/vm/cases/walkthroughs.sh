# The commands of docs/walkthroughs.md run as they are and show the hits that the text shows.
# kernels: 6.12
# source: samples/livepatch
# slow: yes
# The stacks that sysrq prints are no splats.
setup echo 1 > /proc/sys/kernel/printk
setup cp /tests/livepatch-sample.ko .
# Write each command to command.N, and the hits that the text shows for it to shown.N. A line
# of the accounting at the end of a report begins with # too, but is no command.
awk '/^```/ { inside = /^```console/; next }
	!inside { next }
	/^# ((context|task|softirq|hardirq|nmi|total) +[0-9h]|clock: )/ { next }
	sub(/^# /, "") { print > "command." ++n; printf "" > "shown." n; next }
	match($0, /[^ ]+ <- [^ ]+/) { print substr($0, RSTART, RLENGTH) > "shown." n }' /tests/walkthroughs.md
n=1
while [ -e command.$n ]; do
	sh -e command.$n > out 2> errors
	is "it succeeds: $(cat command.$n)" $? 0
	[ ! -s shown.$n ] || ok "it shows the hits of the text: $(cat command.$n)" grep -qFf shown.$n out
	show < out
	n=$((n + 1))
done
ok "the text has 5 commands or more" test $n -gt 5
