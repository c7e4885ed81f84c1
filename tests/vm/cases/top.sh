# nestrace top in a terminal, which tmux is.
# programs: tmux
insmod /tests/nt_calls.ko
export LANG=C.UTF-8
seen()
{
	tmux capture-pane -p > pane
	grep -qE -- "$1" pane
}

nestrace top < /dev/null > out 2> errors
is "without a terminal it is refused" $? 1
ok "and nestrace stat is named" grep -q "top needs a terminal; nestrace stat" errors

(until [ -e stop ]; do echo "task 200 softirq 20 hardirq 20 nmi 20" > /proc/nt_calls; usleep 50000; done) &
tmux -u new-session -d -x 100 -y 20 'trap : INT; stty -g > before
	TERM=unheard-of nestrace top 2> unheard
	nestrace top -l no_such_function 2> filter
	nestrace top; echo $? > status; stty -g > after
	nestrace top -l "nt_c*"; echo $? > status2; sleep 1000'
ok "it shows functions" within_a_minute seen " (_raw_spin|nt_called|_*rcu_)[a-z_]*$"
ok "a terminal that is not known is named" grep -q "does not know the terminal 'unheard-of'" unheard
ok "a filter that matches nothing is told" grep -q "'no_such_function': no function" filter
ok "hits by second" seen "^nestrace top +[0-9]+ s, 2 CPUs: [1-9][0-9]* hits/s"
ok "lost and refused" seen "^lost [0-9]+, refused [0-9]+"
is "the screen is full" "$(grep -c . pane)" 20
sed 's/ *$//' pane | head -n 9 | while read -r line; do note "$line"; done
ok "sorted by calls a second" sh -c 'sed 1,3d pane | sed "s/^ *\([0-9]*\)k/\1000/" | awk "{ print \$1 }" > rates
	sort -rn -c rates'
tmux resize-window -x 60 -y 8
ok "a smaller window" within_a_minute sh -c 'sleep 1; tmux capture-pane -p > pane; [ "$(grep -c . pane)" = 8 ] && grep -q "hits/s" pane'
is "no line is wider" "$(awk 'length > 60' pane)" ""
tmux resize-window -x 120 -y 24
ok "a larger one" within_a_minute sh -c 'sleep 1; tmux capture-pane -p > pane; [ "$(grep -c . pane)" = 24 ]'
tmux send-keys t
ok "t sorts by all calls" within_a_minute seen "sorted by all calls"
tmux send-keys Space
ok "space holds it" within_a_minute seen "HELD"
tmux capture-pane -p | sed 1,2d > held
sleep 2
tmux capture-pane -p | sed 1,2d > later
ok "so that it stays as it is" cmp held later
tmux send-keys q
ok "q quits" within_a_minute test -e status
is "with status" "$(cat status)" 0
ok "the terminal is as it was" within_a_minute cmp before after
ok "with a filter: that function alone" within_a_minute seen " nt_called$"
is "and no other" "$(sed 1,3d pane | grep -c .)" 1
ok "in every slot" grep -qE "( +[0-9]+%){4} +nt_called$" pane
note "$(sed 1,3d pane | head -n 1)"
tmux send-keys C-c
ok "Ctrl-C quits" within_a_minute test -e status2
is "with status" "$(cat status2)" 0
ok "what became of all hits is told" within_a_minute seen "^# total"
touch stop
wait
tmux kill-server
ok "no session is left" within_a_minute sessions "0 open, 0 running"
ok "unload" rmmod nestrace
