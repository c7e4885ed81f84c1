# The commands of docs/walkthroughs.md run as they stand, and show what they show there.
# kernels: 6.12
# source: samples/livepatch
# slow: yes
# the stacks that sysrq shows are no complaints
echo 1 > /proc/sys/kernel/printk
cp /tests/livepatch-sample.ko .
# command.N, but not what looks like one at the foot of a report, and of its output in the text the hits: shown.N
awk '/^```/ { inside = /^```console/; next }
	!inside { next }
	/^# (slot|task|softirq|hardirq|nmi|total) +[0-9h]/ { next }
	sub(/^# /, "") { print > "command." ++n; printf "" > "shown." n; next }
	match($0, /[^ ]+ <- [^ ]+/) { print substr($0, RSTART, RLENGTH) > "shown." n }' /tests/walkthroughs.md
n=1
while [ -e command.$n ]; do
	sh -e command.$n > out 2> errors
	is "$(cat command.$n)" $? 0
	[ ! -s shown.$n ] || ok "shows hits that the text shows" grep -qFf shown.$n out
	while IFS= read -r line; do note "$line"; done < out
	n=$((n + 1))
done
ok "there are commands" test $n -gt 5
