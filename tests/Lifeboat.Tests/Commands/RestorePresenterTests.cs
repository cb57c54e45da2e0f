using Lifeboat.Commands;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Restore;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Engine.Stores;
using Lifeboat.Output;
using Lifeboat.Tests.Output;

namespace Lifeboat.Tests.Commands;

public sealed class RestorePresenterTests
{
    private static readonly SnapshotMetadata Metadata = new()
    {
        BackupVersion = "1.0.0",
        App = "shop",
        Timestamp = DateTimeOffset.UnixEpoch,
        LifeboatVersion = "1.2.3",
        Host = "h",
        ExportStatus = "complete",
        ExportDurationSeconds = 1,
        CutWidthSeconds = 0,
        Encryption = "none",
        Warnings = [],
        Sources =
        [
            new SourceMetadata
            {
                Name = "main", Type = "postgres", Engine = "PostgreSQL 15.18 (Debian 15.18-0+deb12u1)", Cut = new CutMetadata(DateTimeOffset.UnixEpoch),
                    Bytes = 1_400_000_000, Files = 9,
                Tables = [new TableMetadata("public.t", 12345, 7, "d", [])],
            },
        ],
    };

    [Fact]
    public async Task The_plan_says_what_is_created_replaced_and_kept()
    {
        ProgramFixture program = new(terminal: true, input: "shop\n");
        RestorePresenter presenter = Presenter(program, out IRunOutput output, out Confirmation confirmation);
        using (output)
            Assert.True(await presenter.ConfirmAsync(Plan(), TestContext.Current.CancellationToken));
        Assert.Equal(
            """
            Plan: restore shop from 19700101_000000Z, taken 1970-01-01 02:00:00 on h

            main (PostgreSQL 15.18, 1 table, 12,345 rows, 1.4 GB)
              replaces  database "shop" on db:5432
              keeps     what is live now, as shop__before_rid
              - role shop_owner exists and stays as it is

            Free space needed: 2.8 GB in /tmp

            What is live now will be replaced, and kept aside as the plan says.
            Type the app's name (shop) to go on: 
            """.ReplaceLineEndings("\n"),
            program.Out);
        Assert.Null(confirmation.Refusal);
    }

    [Fact]
    public async Task The_plan_of_a_snapshot_that_does_not_show_who_wrote_it_says_so()
    {
        ProgramFixture program = new(terminal: true, input: "shop\n");
        RestorePresenter presenter = Presenter(program, out IRunOutput output, out _);
        Problem doubt = new(ErrorCodes.NotAuthentic, "the bundle is not encrypted", "h");
        using (output)
            Assert.True(await presenter.ConfirmAsync(Plan() with { Authentic = false, Doubts = [doubt] }, TestContext.Current.CancellationToken));
        Assert.Contains("CAUTION: the bundle is not encrypted.", program.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("no\n")]
    [InlineData("Shop\n")]
    public async Task Anything_but_the_name_is_a_no(string answer)
    {
        ProgramFixture program = new(terminal: true, input: answer);
        RestorePresenter presenter = Presenter(program, out IRunOutput output, out Confirmation confirmation);
        using (output)
            Assert.False(await presenter.ConfirmAsync(Plan(), TestContext.Current.CancellationToken));
        Assert.Equal(ExitStatus.Cancelled, confirmation.Refusal!.Code.Exit);
    }

    [Fact]
    public void Blockers_of_a_dry_run_are_all_shown_and_exit_1()
    {
        ProgramFixture program = new();
        RestorePresenter presenter = Presenter(program, out IRunOutput output, out _);
        RestoreResult blocked = Plan() with
        {
            Blockers = [new Problem(ErrorCodes.WrongPassword, "one", "h"), new Problem(ErrorCodes.DiskFull, "two", "h")],
        };
        using (output)
            Assert.Equal(ExitStatus.Failed, presenter.Conclude(blocked, dryRun: true));
        Assert.Contains("one", program.Error, StringComparison.Ordinal);
        Assert.Contains("two", program.Error, StringComparison.Ordinal);
        Assert.EndsWith("Nothing was restored; what was live is unchanged.\n", program.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_dry_run_with_warnings_exits_3_and_shows_each_once()
    {
        ProgramFixture program = new();
        RestorePresenter presenter = Presenter(program, out IRunOutput output, out _);
        using (output)
        {
            RestoreResult warned = Plan() with { Warnings = [new Problem(ErrorCodes.StorageFailed, "careful", "h")] };
            Assert.Equal(ExitStatus.Warnings, presenter.Conclude(warned, dryRun: true));
        }

        Assert.Single(program.Error.Split('\n'), static line => line.Contains("careful", StringComparison.Ordinal));
    }

    [Fact]
    public void A_difference_that_was_found_exits_4_and_is_named()
    {
        ProgramFixture program = new();
        RestorePresenter presenter = Presenter(program, out IRunOutput output, out _);
        RestoreResult differs = Plan();
        differs = differs with
        {
            Sources = [differs.Sources[0] with { Verification = new VerifyReport([new VerifyCheck("table public.t", "2 rows",
                "1 rows")]) }],
        };
        using (output)
            Assert.Equal(ExitStatus.Damage, presenter.Conclude(differs, dryRun: false));
        Assert.Contains("error LB8003 main: table public.t differs after staging: expected 2 rows, found 1 rows", program.Error,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_success_says_where_the_state_from_before_is()
    {
        ProgramFixture program = new();
        RestorePresenter presenter = Presenter(program, out IRunOutput output, out _);
        using (output)
            Assert.Equal(ExitStatus.Done, presenter.Conclude(Plan() with { Committed = true }, dryRun: false));
        Assert.Contains("main: the state from before is kept as shop__before_rid", program.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_plan_of_a_merge_says_what_is_added_to()
    {
        ProgramFixture program = new(terminal: true, input: "shop\n");
        RestorePresenter presenter = Presenter(program, out IRunOutput output, out _, ["main/public.t"], RestoreMode.Merge);
        using (output)
            Assert.True(await presenter.ConfirmAsync(Plan(), TestContext.Current.CancellationToken));
        Assert.Contains("\nmain: public.t\n  adds to   database", program.Out, StringComparison.Ordinal);
        Assert.Contains("What is missing will be added; nothing that exists will be changed.", program.Out, StringComparison.Ordinal);
    }

    private static RestorePresenter Presenter(
        ProgramFixture program, out IRunOutput output, out Confirmation confirmation, string[]? only = null, RestoreMode mode = RestoreMode.Replace)
    {
        output = program.Text();
        CommandRun run = new(program.Host, new SharedValues(null, Json: false, Quiet: false, Verbose: false), output);
        StoredSnapshot snapshot = new("19700101_000000Z", "local", "/b/shop_19700101_000000Z.zip", 5, Metadata, DateTimeOffset.UnixEpoch);
        confirmation = new Confirmation(run, "shop", yes: false);
        RestoreRequest request = new(snapshot, only ?? [], new Dictionary<string, string>(), false) { Mode = mode };
        return new RestorePresenter(run, request, Metadata, "shop", confirmation);
    }

    private static RestoreResult Plan() => new(
        "rid",
        [
            new SourceRestore(
                "main",
                new RestorePlan(
                    "database \"shop\" on db:5432", true, "shop__before_rid", ["role shop_owner exists and stays as it is"],
                    new Dictionary<string, long> { ["/tmp"] = 2_800_000_000 }, [], []),
                null),
        ],
        [],
        [],
        false) { Authentic = true };
}
