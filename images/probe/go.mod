module kubemend/probe

go 1.25.0

require (
	github.com/godbus/dbus/v5 v5.1.0
	golang.org/x/net v0.55.0
	golang.org/x/sys v0.47.0
)
