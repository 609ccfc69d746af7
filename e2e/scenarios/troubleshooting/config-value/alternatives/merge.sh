# score: 100
kubectl -n shop patch configmap settings --type merge -p "{\"data\":{\"backend\":\"http://$HOST.shop\",\"currency\":\"EUR\"}}"
