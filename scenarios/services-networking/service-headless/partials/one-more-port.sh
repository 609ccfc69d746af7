# score: 40
# The cluster IP answers for the members' port as well. There is data again, of a member that nobody chose.
kubectl -n "$NS" patch service "$STORE" -p "{\"spec\":{\"ports\":[{\"name\":\"direct\",\"port\":$PORT,\"targetPort\":\"data\"}]}}"
