module kubemend/registry

go 1.24.0
