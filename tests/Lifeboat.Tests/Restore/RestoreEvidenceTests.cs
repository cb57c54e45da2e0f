using System.Xml.Linq;
using Lifeboat.Engine.Restore;
using Lifeboat.Engine.Restore.Evidence;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;

namespace Lifeboat.Tests.Restore;

public sealed class RestoreEvidenceTests
{
    private static RestoreEvidence Evidence => new(
        1, "rid", "restored", "shop", "20260101_000000Z", DateTimeOffset.UnixEpoch, "there", "1.2.3", "here", DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddSeconds(2.5),
        [
            new EvidenceSource(
                "main", "postgres", "PostgreSQL 15", "database \"shop\" on db", "database shop__before_rid", 1, 2, 3, 4, ["create 1 role: <b>"],
                [new EvidenceCheck("table public.t", "2 rows", "2 rows", true)], [new EvidencePhase("stage", 1.25)]),
        ],
        [new EvidenceProblem("LB3105", "role a differs", "look", "main")], []);

    /// <summary>Field names are permanent once released.</summary>
    [Fact]
    public void The_document_is_pinned() => Assert.Equal(
        """{"version":1,"restore_id":"rid","outcome":"restored","app":"shop","snapshot":"20260101_000000Z","snapshot_taken":"1970-01-01T00:00:00+00:00","snapshot_host":"there","lifeboat_version":"1.2.3","host":"here","began":"1970-01-01T00:00:00+00:00","ended":"1970-01-01T00:00:02.5+00:00","sources":[{"name":"main","type":"postgres","engine":"PostgreSQL 15","target":"database \u0022shop\u0022 on db","kept_as":"database shop__before_rid","tables":1,"rows":2,"files":3,"bytes":4,"done":["create 1 role: \u003Cb\u003E"],"checks":[{"subject":"table public.t","expected":"2 rows","found":"2 rows","passed":true}],"timings":[{"phase":"stage","seconds":1.25}]}],"warnings":[{"code":"LB3105","message":"role a differs","hint":"look","where":"main"}],"errors":[]}""",
        string.Concat(Evidence.ToJson().Split('\n').Select(static line => line.TrimStart())).Replace("\": ", "\":", StringComparison.Ordinal));

    [Fact]
    public void The_page_is_one_well_formed_document_that_loads_nothing_and_shows_what_it_is_given_as_text()
    {
        string page = EvidencePage.Write(Evidence);
        XDocument.Parse(page.Replace("<!doctype html>", "", StringComparison.Ordinal).Replace("<meta charset=\"utf-8\">", "", StringComparison.Ordinal)
            .Replace("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">", "", StringComparison.Ordinal));
        Assert.Contains("create 1 role: &lt;b&gt;", page, StringComparison.Ordinal);
        Assert.Contains("1 comparison with what was captured, no difference", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", page, StringComparison.Ordinal);
        Assert.DoesNotContain("src=", page, StringComparison.Ordinal);
        Assert.DoesNotContain("url(", page, StringComparison.Ordinal);
    }

    [Fact]
    public void A_restore_of_parts_says_which_and_does_not_count_the_whole_source()
    {
        SourceMetadata captured = new()
        {
            Name = "main", Type = "postgres", Cut = new CutMetadata(DateTimeOffset.UnixEpoch), Bytes = 7, Files = 9, Tables = [new TableMetadata("public.t", 12345, 7, "d", [])],
        };
        SourceRestore done = new("main", new RestorePlan("1 table of database shop", false, null, [], new Dictionary<string, long>(), [], []), new VerifyReport([new VerifyCheck("table public.t", "1", "1")]))
        {
            Merged = [new MergeCount("table public.t", 1, 2, 3, ["(4)"])],
        };
        RestoreEvidence merge = Evidence with { Sources = [RestoreEvidence.Of(done, captured, new RestoreScope(["public.t"], RestoreMode.Merge), [])] };

        string page = EvidencePage.Write(merge);

        Assert.Contains("<dt>Parts</dt><dd>public.t (--merge)</dd>", page, StringComparison.Ordinal);
        Assert.Contains("<dt>State before</dt><dd>nothing was replaced</dd>", page, StringComparison.Ordinal);
        Assert.DoesNotContain("12,345", page, StringComparison.Ordinal);
        Assert.DoesNotContain("12345", merge.ToJson(), StringComparison.Ordinal);
        Assert.Contains("<td>table public.t</td><td class=\"number\">1</td><td class=\"number\">2</td><td class=\"number\">3</td><td class=\"value\">(4)</td>", page, StringComparison.Ordinal);
    }

    [Fact]
    public void What_differs_comes_first_and_in_full()
    {
        RestoreEvidence failed = Evidence with
        {
            Outcome = "taken_back",
            Errors = [new EvidenceProblem("LB8003", "table public.u: expected 5, found 4", "verify", "main")],
            Sources = [Evidence.Sources[0] with { Checks = [.. Evidence.Sources[0].Checks, new EvidenceCheck("table public.u", "5 rows", "4 rows", false)] }],
        };
        string page = EvidencePage.Write(failed);
        Assert.Contains("Not restored: table public.u: expected 5, found 4", page, StringComparison.Ordinal);
        Assert.True(page.IndexOf("<td>table public.u</td>", StringComparison.Ordinal) < page.IndexOf("<td>table public.t</td>", StringComparison.Ordinal));
        Assert.Contains("4 rows", page, StringComparison.Ordinal);
        Assert.Contains("<details open=", page, StringComparison.Ordinal);
        Assert.Equal(1, failed.Differences);
    }
}
