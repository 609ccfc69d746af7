# score: 0
# Whatever is called like the application will do: now there are endpoints, and half of them serve nobody.
kubectl -n "$NS" patch service "$APP" --type json -p '[{"op":"remove","path":"/spec/selector/component"}]'
