"""The jira package's own objects: every issue with its changelog, page by page; nothing is kept.

Data Center is paged by offset, a thousand at a time; the Cloud by tokens, a hundred, with what its
search shows of a changelog.
"""

import json
import sys
import warnings

from jira import JIRA

facts, kind = json.loads(sys.argv[1]), sys.argv[3]
fields = "summary,description,issuetype,status,project,priority,resolution,resolutiondate,labels,"
fields += "reporter,assignee,created,updated,issuelinks,parent"
asked = {"fields": fields, "expand": "changelog"}
jql = "project = HELP ORDER BY updated ASC, key ASC"
warnings.simplefilter("ignore")
count = entries = 0
if kind == "jiradc":
    site = JIRA(facts["jiradc"], token_auth=facts["pat"], get_server_info=True)
    while True:
        page = site.search_issues(jql, startAt=count, maxResults=1000, **asked)
        count += len(page)
        entries += sum(len(issue.changelog.histories) for issue in page)
        if count >= page.total:
            break
else:
    site = JIRA(facts["jira"], basic_auth=(facts["email"], facts["token"]))
    token = None
    while True:
        page = site.enhanced_search_issues(jql, nextPageToken=token, maxResults=100, **asked)
        count += len(page)
        entries += sum(len(issue.changelog.histories) for issue in page)
        token = page.nextPageToken
        if not token:
            break
print(json.dumps({"rows": count, "entries": entries}))
