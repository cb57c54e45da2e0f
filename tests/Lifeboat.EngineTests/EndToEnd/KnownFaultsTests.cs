using System.Text.RegularExpressions;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.EndToEnd;

/// <summary>
/// Scripts from beside the repository (<c>../shared/cases</c>) that showed faults once: what they do must go well, or harmlessly, now. They make servers on ports
/// and folders of their own, the same at each run, so one runs at a time.
/// </summary>
[Collection(nameof(KnownFaultsTests))]
public sealed partial class KnownFaultsTests
{
    private const string Hostile = "/tmp/lifeboat-cases/hostile";

    private static string? Folder => Directory.Exists(Path.Combine(RepositoryRoot.Path, "..", "shared", "cases"))
        ? Path.GetFullPath(Path.Combine(RepositoryRoot.Path, "..", "shared", "cases")) : null;

    [Theory]
    [InlineData("postgres/client_encoding.sh")]
    [InlineData("postgres/extension_member_rows.sh")]
    [InlineData("postgres/orphans_behind_foreign_key.sh")]
    [InlineData("postgres/replaced_table.sh")]
    [InlineData("postgres/role_in_settings.sh")]
    [InlineData("others/env-redact-leak.sh")]
    [InlineData("others/fk-to-missing-table.sh")]
    [InlineData("others/newline-in-names.sh")]
    public void Scripts_that_judge_themselves_pass(string script)
    {
        string said = Run(script);

        Assert.True(PassedLine().IsMatch(said) && !said.Contains("FAIL", StringComparison.Ordinal), said);
    }

    [Theory]
    [InlineData("stores/lost_store.sh", "", "^bundles left: 2$", null)]
    [InlineData("stores/nested_sources.sh", "settings", "^restore [03]$(.|\n)*^a.txt: hello env: K=1(.|\n)*^undo [03]$", "__staging_")]
    [InlineData("stores/nested_sources.sh", "sqlite", "^restore [03]$(.|\n)*^a.txt: hello env: K=[12] rows: 1$(.|\n)*^undo [03]$", "__staging_")]
    [InlineData("stores/nested_sources.sh", "cache", "^restore [03]$(.|\n)*app/cache$(.|\n)*^undo [03]$(.|\n)*app/cache$", "__staging_")]
    [InlineData("stores/nested_sources.sh", "store", "^restore [03]$(.|\n)*^app/backups$(.|\n)*^undo [03]$(.|\n)*^app/backups$", "__staging_")]
    [InlineData("stores/other_app.sh", "", "^rc=(1|2)$(.|\n)*^data of ob$", null)]
    [InlineData("stores/overlapping_sources.sh", "", "", "__staging_|^restore rc=[^03]$(?<=^dry-run rc=[03]$(.|\n)*)")]
    [InlineData("stores/partial_latest.sh", "", "^a$\n^b$", null)]
    [InlineData("stores/shared_store.sh", "", "^shop_eu rc=3$", "^shop_eu rc=1$")]
    [InlineData("stores/symlink_store.sh", "", "^rc=[23]$", "^[2-9][0-9]{6} ")]
    [InlineData("stores/two_hosts.sh", "", "A/files/small: I am A", "^A rc=1$")]
    public void Scripts_about_stores_end_well(string script, string arguments, string expected, string? never)
    {
        string said = Run(script, arguments);

        Assert.Matches(new Regex(expected, RegexOptions.Multiline), said);
        if (never is not null)
            Assert.DoesNotMatch(new Regex(never, RegexOptions.Multiline), said);
    }

    [Fact]
    public void Hostile_files_databases_and_bundles_run_nothing_gain_nothing_and_change_nothing_elsewhere()
    {
        Run("hostile/setup.sh");
        try
        {
            List<string> faults = [];
            foreach (string script in Directory.GetFiles(Path.Combine(Folder!, "hostile"), "p*.sh").Order(StringComparer.Ordinal))
            {
                string said = Run("hostile/" + Path.GetFileName(script));
                faults.AddRange(Faults().Matches(said).Select(match => $"{Path.GetFileName(script)}: {match.Value}"));
            }

            faults.AddRange(Directory.EnumerateFiles(Hostile, "pwned_*", SearchOption.AllDirectories));
            Assert.Empty(faults);
            Assert.Equal("data\n", File.ReadAllText(Hostile + "/victim/important/file"));
            Assert.Equal("shadow\n", File.ReadAllText(Hostile + "/victim/shadow"));
            Assert.Equal("important config\n", File.ReadAllText(Hostile + "/victim/target.conf"));
            Assert.False(File.Exists(Hostile + "/victim/created_by_root"));
            Assert.Equal("600", LifeboatProgram.Shell(Hostile, "stat -c %a race/secret/shadow").Trim());
            Assert.DoesNotContain("bundle-secret", File.ReadAllText(Hostile + "/a4/hook.env") + File.ReadAllText(Hostile + "/a4/psql.env"), StringComparison.Ordinal);
            Assert.DoesNotContain("dbsecret", File.ReadAllText(Hostile + "/a4/hook.env"), StringComparison.Ordinal);
            Assert.DoesNotContain("OTHER_TOKEN", File.ReadAllText(Hostile + "/a4/psql.env"), StringComparison.Ordinal);
        }
        finally
        {
            LifeboatProgram.Shell(Hostile, "kill -TERM $(cat my/pid) || true; kill -INT $(head -1 pg/data/postmaster.pid) || true");
        }
    }

    private static string Run(string script, string arguments = "")
    {
        Assert.SkipWhen(Folder is null, "the scripts are not beside the repository");
        Needs.Root();
        string program = Path.GetDirectoryName(LifeboatProgram.Path)!;
        return LifeboatProgram.Shell("/tmp", $"mkdir -p /tmp/lifeboat-cases; PATH='{program}':$PATH LIFEBOAT='{LifeboatProgram.Path}' LIFEBOAT_TRUSTED_FOLDERS=/tmp/lifeboat-cases/others bash '{Folder}/{script}' {arguments} 2>&1 || true");
    }

    [GeneratedRegex("^PASS", RegexOptions.Multiline)]
    private static partial Regex PassedLine();

    // What id prints, a file that only a program's run makes, a right that was gained, a row that was written where nobody should have come in.
    [GeneratedRegex(@"^uid=\d+|^/tmp/lifeboat-cases/hostile/pwned\S*|^-rw\S+ .*pwned\S*|^.*(after \w+|superuser): t$|^\d+ .*WROTE.*|^-[59]\|.*|^(appowner )?wrote into .*", RegexOptions.Multiline)]
    private static partial Regex Faults();
}
