// What a person relies on: nothing lost across clients, one shell per id, pastes and floods that neither hang nor grow, an end
// that is told. The test binary plays the command itself (HOLD_AS_COMMAND). No test waits for a time; each waits for bytes.
package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestMain(m *testing.M) {
	if os.Getenv("HOLD_AS_COMMAND") == "1" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

type lab struct {
	t     *testing.T
	state string
}

func newLab(t *testing.T) *lab {
	dir, err := os.MkdirTemp("", "hold") // short: a socket's path has at most 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{t, dir}
	t.Cleanup(func() {
		var all []info
		out, _, _ := l.run("list")
		json.Unmarshal([]byte(out), &all)
		for _, i := range all {
			l.run("kill", "--id", i.ID)
		}
		os.RemoveAll(dir)
	})
	return l
}

func (l *lab) command(args ...string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Env = append(os.Environ(), "HOLD_AS_COMMAND=1", "HOLD_STATE="+l.state)
	return cmd
}

func (l *lab) run(args ...string) (string, string, int) {
	cmd := l.command(args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return out.String(), errs.String(), exit.ExitCode()
	}
	if err != nil {
		l.t.Fatal(err)
	}
	return out.String(), errs.String(), 0
}

func (l *lab) start(id string, args ...string) info {
	l.t.Helper()
	out, errs, code := l.run(append([]string{"start", "--id", id, "--cols", "80", "--rows", "24"}, args...)...)
	var i info
	if code != 0 || json.Unmarshal([]byte(out), &i) != nil {
		l.t.Fatalf("start: exit %d, %s%s", code, out, errs)
	}
	return i
}

type hello struct {
	Offset, Lost, End int64
	Cols, Rows        int
	Life              string
	Running           bool
}

// viewer is an attached client that reads only when asked to.
type viewer struct {
	t     *testing.T
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   io.Reader
	hello hello
	seen  []byte
	pos   int64
	exit  *int
	over  bool
}

func (l *lab) attach(id string, from int64) *viewer {
	l.t.Helper()
	v := &viewer{t: l.t, cmd: l.command("attach", "--id", id, "--from", fmt.Sprint(from))}
	v.in, _ = v.cmd.StdinPipe()
	v.out, _ = v.cmd.StdoutPipe()
	v.cmd.Stderr = os.Stderr
	if err := v.cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { v.in.Close(); v.cmd.Process.Kill(); v.cmd.Wait() })
	kind, payload := v.frame()
	if kind != frameHello || json.Unmarshal(payload, &v.hello) != nil {
		l.t.Fatalf("first frame: %d %q", kind, payload)
	}
	v.pos = v.hello.Offset
	return v
}

func (v *viewer) frame() (byte, []byte) {
	head := make([]byte, 5)
	if _, err := io.ReadFull(v.out, head); err != nil {
		v.over = true
		return 0, nil
	}
	payload := make([]byte, binary.BigEndian.Uint32(head[1:]))
	if _, err := io.ReadFull(v.out, payload); err != nil {
		v.t.Fatal(err)
	}
	return head[0], payload
}

// read takes one frame into what has been seen.
func (v *viewer) read() {
	kind, payload := v.frame()
	switch kind {
	case frameOutput:
		v.seen = append(v.seen, payload...)
		v.pos += int64(len(payload))
	case frameExit:
		var e struct{ ExitCode int }
		json.Unmarshal(payload, &e)
		v.exit = &e.ExitCode
	}
}

func (v *viewer) until(text string) {
	v.t.Helper()
	for !bytes.Contains(v.seen, []byte(text)) {
		if v.read(); v.over {
			v.t.Fatalf("ended without %q; seen %q", text, tail(v.seen))
		}
	}
}

func (v *viewer) untilEnd() {
	for !v.over {
		v.read()
	}
}

func tail(b []byte) []byte { return b[max(0, len(b)-400):] }

func (v *viewer) typeIn(text string) {
	v.t.Helper()
	if _, err := v.in.Write(frame(frameOutput, []byte(text))); err != nil {
		v.t.Fatal(err)
	}
}

func (v *viewer) detach() {
	v.in.Close()
	v.cmd.Wait()
}

var plain = []string{"--env", "PS1=$ ", "--", "bash", "--norc", "--noprofile", "--noediting"}

func TestStartIsOncePerID(t *testing.T) {
	l := newLab(t)
	one := l.start("a", plain...)
	two := l.start("a", plain...)
	if !one.Running || one.Pid != two.Pid || one.Life != two.Life {
		t.Fatalf("a second start made another shell: %+v, %+v", one, two)
	}
	out, _, _ := l.run("list")
	var all []info
	if json.Unmarshal([]byte(out), &all) != nil || len(all) != 1 || all[0].ID != "a" {
		t.Fatalf("list: %s", out)
	}
}

func TestNothingIsLostBetweenClients(t *testing.T) {
	l := newLab(t)
	l.start("a", plain...)
	v := l.attach("a", 0)
	v.typeIn("echo o''ne\n")
	v.until("one\r\n")
	v.typeIn("read x; for i in 1 2 3; do echo line-$i; done; echo the-''end\n")
	v.until("the-''end\r\n")
	at := v.pos
	v.typeIn("\n")
	v.detach()
	w := l.attach("a", at)
	if w.hello.Offset != at || w.hello.Lost != 0 {
		t.Fatalf("hello %+v, wanted offset %d", w.hello, at)
	}
	w.until("the-end\r\n")
	if !bytes.Contains(w.seen, []byte("line-1\r\nline-2\r\nline-3\r\nthe-end\r\n")) {
		t.Fatalf("seen %q", w.seen)
	}
	all := l.attach("a", 0)
	all.until("the-end\r\n")
	if got := all.seen[at:]; !bytes.HasPrefix(w.seen, got[:min(len(got), len(w.seen))]) && !bytes.HasPrefix(got, w.seen) {
		t.Fatalf("offsets do not agree: %q against %q", got, w.seen)
	}
}

func TestKoreanIsErasedAsWholeCharacters(t *testing.T) {
	l := newLab(t)
	l.start("a", plain...)
	v := l.attach("a", 0)
	v.until("$ ") // a prompt that comes late would stand before what cat writes
	v.typeIn("cat\n")
	v.until("cat\r\n")
	v.typeIn("가나\x7f다\n")
	v.until("\r\n가다\r\n")
}

func TestTheEndIsToldToLaterClients(t *testing.T) {
	l := newLab(t)
	l.start("a", "--", "sh", "-c", "echo gone; exit 7")
	for range 2 {
		v := l.attach("a", 0)
		v.untilEnd()
		if v.exit == nil || *v.exit != 7 || string(v.seen) != "gone\r\n" {
			t.Fatalf("exit %v, seen %q", v.exit, v.seen)
		}
		v.cmd.Wait()
	}
	if i := l.start("a", plain...); i.Running || i.ExitCode == nil || *i.ExitCode != 7 {
		t.Fatalf("an ended shell is kept until kill: %+v", i)
	}
	l.run("kill", "--id", "a")
	if i := l.start("a", plain...); !i.Running {
		t.Fatalf("after kill the id is free: %+v", i)
	}
}

func TestAFloodWaitsForItsReaderAndLosesNothing(t *testing.T) {
	l := newLab(t)
	l.start("a", "--", "sh", "-c", "seq 1 1000000") // 6.9 MB, more than the ring holds
	v := l.attach("a", 0)
	v.until("1\r\n")
	if v.hello.Lost != 0 { // it may run on before anybody is there; then there is nothing to compare
		t.Skip("the flood was over before the client came")
	}
	v.untilEnd()
	var want bytes.Buffer
	for i := 1; i <= 1000000; i++ {
		fmt.Fprintf(&want, "%d\r\n", i)
	}
	if !bytes.Equal(v.seen, want.Bytes()) {
		t.Fatalf("%d bytes seen, %d wanted", len(v.seen), want.Len())
	}
}

func TestAnAttachedClientThatDoesNotReadStopsTheProgram(t *testing.T) {
	l := newLab(t)
	l.start("a", plain...)
	v := l.attach("a", 0)
	v.typeIn("yes\n")
	// Unread output in pipes and sockets is bounded; once the ring does not move between two looks made after much work, it waits.
	var ends []int64
	for len(ends) < 3 || ends[len(ends)-1] != ends[len(ends)-3] || ends[len(ends)-1] < maxPending {
		out, _, _ := l.run("list")
		var all []info
		json.Unmarshal([]byte(out), &all)
		ends = append(ends, all[0].End)
	}
	if end := ends[len(ends)-1]; end > maxPending+(2<<20) {
		t.Fatalf("%d bytes were read ahead of the client", end)
	}
	v.typeIn("\x03echo sto''pped\n")
	v.until("stopped\r\n")
}

func TestWithNobodyAttachedTheOldestIsOverwritten(t *testing.T) {
	l := newLab(t)
	l.start("a", "--ring", "65536", "--", "sh", "-c", "seq 1 100000; echo done; read x")
	for {
		out, _, _ := l.run("list")
		var all []info
		json.Unmarshal([]byte(out), &all)
		if all[0].End >= 688895+6 { // all of seq's output and "done"
			break
		}
	}
	v := l.attach("a", 10)
	if v.hello.Lost == 0 || v.hello.Offset != v.hello.Lost+10 || v.hello.End-v.hello.Offset != 65536 {
		t.Fatalf("hello %+v", v.hello)
	}
	v.until("100000\r\ndone\r\n")
}

func TestALargePasteIntoAnEchoingTerminalArrives(t *testing.T) {
	l := newLab(t)
	l.start("a", plain...)
	v := l.attach("a", 0)
	v.typeIn("wc -c; echo coun''ted\n")
	v.until("coun''ted\r\n")
	line := strings.Repeat("x", 99) + "\n"
	for range 10 { // written before anything is read
		v.typeIn(strings.Repeat(line, 1000))
	}
	v.typeIn("\x04")
	v.until("1000000\r\n")
	v.until("counted\r\n")
}

func TestResizeReachesTheProgramAndTheNextClient(t *testing.T) {
	l := newLab(t)
	l.start("a", plain...)
	v := l.attach("a", 0)
	v.in.Write(frameJSON(frameResize, map[string]int{"cols": 132, "rows": 43}))
	v.typeIn("stty size\n")
	v.until("43 132\r\n")
	if w := l.attach("a", 0); w.hello.Cols != 132 || w.hello.Rows != 43 {
		t.Fatalf("hello %+v", w.hello)
	}
}

func TestSeveralClientsSeeTheSame(t *testing.T) {
	l := newLab(t)
	l.start("a", plain...)
	v, w := l.attach("a", 0), l.attach("a", 0)
	v.typeIn("echo bo''th\n")
	v.until("both\r\n")
	w.until("both\r\n")
}

func TestKillEndsJobsInTheirOwnGroupsToo(t *testing.T) {
	l := newLab(t)
	l.start("a", plain...)
	v := l.attach("a", 0)
	v.typeIn("set -m; (trap '' HUP; echo job=$BASHPID.; while :; do sleep 1000; done) & wait\n")
	v.until("job=")
	for !bytes.Contains(v.seen[bytes.LastIndex(v.seen, []byte("job=")):], []byte(".\r\n")) || bytes.HasSuffix(v.seen, []byte("$BASHPID.")) {
		v.read()
	}
	text := string(v.seen[bytes.LastIndex(v.seen, []byte("job="))+4:])
	pid, _, _ := strings.Cut(text, ".")
	if _, err := os.Stat("/proc/" + pid); err != nil {
		t.Fatalf("no job %q: %v", pid, err)
	}
	out, errs, code := l.run("kill", "--id", "a")
	if code != 0 {
		t.Fatalf("kill: %d %s%s", code, out, errs)
	}
	v.untilEnd()
	if v.exit == nil {
		t.Fatal("the client was not told")
	}
	if status, err := os.ReadFile("/proc/" + pid + "/status"); err == nil && !strings.Contains(string(status), "State:\tZ") {
		t.Fatalf("job %s lives on", pid)
	}
	if _, _, code := l.run("attach", "--id", "a"); code != exitNoSuch {
		t.Fatalf("attach after kill: exit %d", code)
	}
}

func TestWhatAStoppedContainerLeftBehindIsReplaced(t *testing.T) {
	l := newLab(t)
	os.MkdirAll(l.state+"/shells/a", 0o700)
	os.WriteFile(l.state+"/shells/a/socket", nil, 0o600)
	if i := l.start("a", plain...); !i.Running {
		t.Fatalf("%+v", i)
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	l := newLab(t)
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"attach", "--id", "nobody"}, exitNoSuch, "hold start --id nobody"},
		{[]string{"kill", "--id", "nobody"}, exitNoSuch, "hold list"},
		{[]string{"start", "--id", "../x"}, exitUsage, "not a name"},
		{[]string{"start", "--id", "a", "--cols", "0"}, exitUsage, "between 1 and 1000"},
		{[]string{"start", "--id", "a", "--ring", "1e9"}, exitUsage, "not a number"},
		{[]string{"start", "--id", "a", "--user", "no-such-user"}, exitFailed, `no user "no-such-user"`},
		{[]string{"start", "--id", "a", "--", "no-such-program"}, exitFailed, "no-such-program"},
		{[]string{"fetch"}, exitUsage, "start, attach, list and kill"},
	} {
		_, errs, code := l.run(c.args...)
		if code != c.code || !strings.Contains(errs, c.says) {
			t.Errorf("%v: exit %d, %s", c.args, code, errs)
		}
	}
	if out, _, _ := l.run("list"); strings.TrimSpace(out) != "[]" {
		t.Errorf("failed starts left %s", out)
	}
}

func TestTheRingKeepsOffsetsWhileItGrowsAndWraps(t *testing.T) {
	r := ring{limit: 64 << 10}
	var all []byte
	for i := range 5000 {
		p := bytes.Repeat([]byte{byte(i)}, i%97)
		all = append(all, p...)
		r.write(p)
		if r.end != int64(len(all)) || r.end-r.begin > 64<<10 {
			t.Fatalf("begin %d end %d after %d bytes", r.begin, r.end, len(all))
		}
	}
	var got []byte
	for at := r.begin; at < r.end; {
		p := r.from(at, 1000)
		got = append(got, p...)
		at += int64(len(p))
	}
	if !bytes.Equal(got, all[r.begin:]) {
		t.Fatal("the bytes are not those that were written")
	}
}
