"""The `jira` package searches, reads and writes; told where on stdin, tells on stdout."""

import json
import sys

import jira

told = json.load(sys.stdin)
sign_in = {"basic_auth": told["auth"]} if "auth" in told else {"token_auth": told["pat"]}
client = jira.JIRA(told["url"], max_retries=0, timeout=(5, 60), **sign_in)
cloud = client.deploymentType == "Cloud"


def whole(jql):
    if cloud:
        return client.enhanced_search_issues(jql, maxResults=False, fields=["summary"])
    return client.search_issues(jql, maxResults=False, fields="summary")


def refusal(call, *args, **more):
    try:
        call(*args, **more)
    except jira.JIRAError as refused:
        return [refused.status_code, refused.text]
    return None


found = whole("created >= '2000-01-01' order by key")
names = {field["name"]: field["id"] for field in client.fields()}
issue = client.issue("CASE-1", expand="changelog")
seen = {
    "deployment": client.deploymentType,
    "all": [each.key for each in found],
    "posted": [
        each.key for each in client.search_issues("project = CASE", maxResults=7, use_post=True)
    ] if cloud else None,
    "bugs": [each.key for each in whole("project = CASE and issuetype = Bug order by key")],
    "histories": [history.id for history in issue.changelog.histories],
    "people": [type(issue.fields.reporter).__name__, client.myself()["timeZone"]],
    "projects": sorted(project.key for project in client.projects()),
    "statuses": sorted({status.name for status in client.statuses()}),
    "wrong query": refusal(client.search_issues, "project = NOPE"),
    "missing issue": refusal(client.issue, "CASE-999999"),
}  # fmt: skip
issue.update(fields={"summary": "told by jira", names["VMO Value"]: 3.5}, notify=False)
issue.update(update={"labels": [{"add": "foreign"}]})
again = client.issue("CASE-1")
seen["updated"] = [
    again.fields.summary, getattr(again.fields, names["VMO Value"]), again.fields.labels,
]  # fmt: skip
client.add_issue_property("CASE-1", "vmo.value", {"hours": 12})
seen["property"] = client.issue_property("CASE-1", "vmo.value").value.hours
client.issue_property("CASE-1", "vmo.value").delete()
seen["properties"] = [each.key for each in client.issue_properties("CASE-1")]
client.create_issue_link("Relates", "CASE-1", "CASE-2")
seen["linked"] = client.issue("CASE-2").fields.issuelinks[0].inwardIssue.key
seen["off screen"] = refusal(issue.update, fields={names["VMO Note"]: "x"})
made = client.create_issue(project="CASE", summary="made by jira", issuetype="Bug")
seen["made"] = [made.fields.summary, made.fields.issuetype.name, made.fields.status.name]
client.transition_issue(made, "In Progress")
client.transition_issue(made.key, "Done")
moved = client.issue(made.key, expand="changelog")
seen["moved"] = sorted(
    (item.fromString, item.toString)
    for history in moved.changelog.histories for item in history.items if item.field == "status"
)  # fmt: skip
seen["done"] = [moved.fields.status.statusCategory.key, moved.fields.resolution.name]
made.delete()
seen["gone"] = refusal(client.issue, made.key)
seen["no kind"] = refusal(
    client.create_issue, project="CASE", summary="x", issuetype={"name": "Riddle"}
)
json.dump(seen, sys.stdout)
