using Lifeboat.Engine.Secrets;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.EndToEnd;

/// <summary>Bundles that do not show who wrote them: refused, unless somebody vouches for them.</summary>
public sealed class TrustTests : IDisposable
{
    private const string Password = "quite-a-long-passphrase-7x2k9";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_plain_bundle_in_the_place_of_an_encrypted_one_is_refused_whatever_it_says()
    {
        string bundle = Backup($"{{password: \"file:{Secret()}\"}}");
        ForgedBundle forged = await ForgedBundle.ReadAsync(bundle, new Secret(Password));
        await forged.WriteAsync(bundle); // its metadata says zip-aes256, and so does the copy beside it

        Assert.Contains("NOT ENCRYPTED", Run(0, "list").Output, StringComparison.Ordinal);
        Assert.False(Run(0, "list", "--json").Messages[0].GetProperty("snapshots")[0].GetProperty("encrypted").GetBoolean());
        ProgramRun shown = Run(3, "show", "latest");
        Assert.Contains("not encrypted,", shown.Output, StringComparison.Ordinal);
        Assert.Contains("LB6010", shown.All, StringComparison.Ordinal);
        Assert.Contains("LB6010", Run(4, "verify", "latest").All, StringComparison.Ordinal);
        Run(0, "verify", "latest", "--trust");
        await RefusedAsync(4, "LB6010", "latest");
        await RefusedAsync(4, "LB6010", bundle);

        forged.AlterMetadata(static metadata => metadata["encryption"] = "none");
        await forged.WriteAsync(bundle);
        Assert.Contains("NOT SHOW WHO WROTE IT", Run(1, "verify", "latest").Output, StringComparison.Ordinal);
        await RefusedAsync(1, "LB6009", "latest");
        await RefusedAsync(1, "LB6009", bundle);
        Run(1, "restore", "latest", "--dry-run", "--yes");
        Run(3, "restore", "latest", "--dry-run", "--trust");
        ProgramRun trusted = Run(3, "restore", "latest", "--yes", "--trust");
        Assert.Contains("CAUTION", trusted.Output, StringComparison.Ordinal);
        Assert.Equal("captured", await File.ReadAllTextAsync(_folder["app/files/f"], TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task An_encrypted_bundle_is_restored_from_anywhere_and_another_password_does_not_do()
    {
        string bundle = Backup($"{{password: \"file:{Secret()}\"}}");
        string elsewhere = _folder["elsewhere.zip"];
        File.Copy(bundle, elsewhere);
        ProgramRun restored = Run(0, "restore", elsewhere, "--yes", "--json");
        Assert.True(restored.Messages.First(static message => message.GetProperty("message_type").GetString() == "plan").GetProperty("authentic").GetBoolean());

        ForgedBundle forged = await ForgedBundle.ReadAsync(bundle, new Secret(Password));
        await forged.WriteAsync(bundle, new Secret("the attacker's own password"));
        Run(12, "restore", "latest", "--yes", "--trust");
    }

    [Fact]
    public async Task With_encryption_none_the_apps_own_bundles_in_its_own_store_are_restored_and_no_others()
    {
        string bundle = Backup("none");
        Assert.Contains("nothing in it shows who wrote it", Run(0, "restore", "latest", "--yes").Output, StringComparison.Ordinal);
        Run(0, "restore", bundle, "--yes");

        string elsewhere = _folder["elsewhere.zip"];
        File.Copy(bundle, elsewhere);
        await RefusedAsync(1, "LB6009", elsewhere);
        Assert.Contains("LB5008", Run(3, "restore", elsewhere, "--yes", "--trust").Errors, StringComparison.Ordinal);
        Run(0, "verify", elsewhere);
        ForgedBundle other = await ForgedBundle.ReadAsync(bundle);
        other.AlterMetadata(static metadata => metadata["app"] = "wiki");
        await other.WriteAsync(bundle);
        await RefusedAsync(1, "LB6009", "latest");
    }

    [Fact]
    public void Without_an_app_file_a_plain_bundle_wants_trust()
    {
        string bundle = Backup("none");
        string[] restore = ["restore", bundle, "--yes", "--target", $"files={_folder["there"]}"];
        Directory.CreateDirectory(_folder["empty"]);
        ProgramRun refused = LifeboatProgram.Run(_folder["empty"], restore);
        Assert.True(refused.ExitStatus == 1, refused.All);
        Assert.Contains("--trust", refused.Errors, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder["there"]));
        ProgramRun trusted = LifeboatProgram.Run(_folder["empty"], [.. restore, "--trust"]);
        Assert.True(trusted.ExitStatus == 3, trusted.All);
        Dictionary<string, string> password = new() { ["LIFEBOAT_PASSWORD"] = Password };
        Assert.Equal(1, LifeboatProgram.Run(_folder["empty"], password, "verify", bundle).ExitStatus);
    }

    [Fact]
    public void No_file_gets_an_owner_or_anothers_rights_because_a_bundle_of_unknown_making_says_so()
    {
        Needs.Root();
        Backup("none");
        LifeboatProgram.Shell(_folder["app"], "chown nobody:nogroup files files/f; chmod 6755 files/f; chmod 3777 files");
        Run(3, "backup", "-q");
        string bundle = Directory.GetFiles(_folder["app/backups"], "*.zip").Order(StringComparer.Ordinal).Last();
        string elsewhere = _folder["elsewhere.zip"];
        File.Copy(bundle, elsewhere);

        Assert.Contains("LB5008", Run(3, "restore", elsewhere, "--yes", "--trust").Errors, StringComparison.Ordinal);
        Assert.Equal("root 755\nroot 1777\n", LifeboatProgram.Shell(_folder["app"], "stat -c '%U %a' files/f files"));

        Run(0, "restore", "latest", "--yes");
        Assert.Equal("nobody 6755\nnobody 3777\n", LifeboatProgram.Shell(_folder["app"], "stat -c '%U %a' files/f files"));
    }

    [Fact]
    public async Task A_plain_bundle_is_not_the_apps_own_where_another_user_can_have_written_it()
    {
        Needs.Root();
        string bundle = Backup("none");
        LifeboatProgram.Shell(_folder["app"], $"chown nobody '{bundle}'");
        await RefusedAsync(1, "LB6009", "latest");
        Assert.Contains("belongs to user nobody", Run(1, "restore", "latest", "--yes").Errors, StringComparison.Ordinal);
        LifeboatProgram.Shell(_folder["app"], $"chown root '{bundle}'; chmod 777 backups");
        await RefusedAsync(1, "LB6009", "latest");
        LifeboatProgram.Shell(_folder["app"], "chmod 700 backups");
        Run(0, "restore", "latest", "--yes");
    }

    [Fact]
    public async Task A_bundle_that_was_renamed_is_not_the_latest()
    {
        string bundle = Backup($"{{password: \"file:{Secret()}\"}}");
        string old = Path.Combine(Path.GetDirectoryName(bundle)!, "shop_20200102_030405Z.zip");
        File.Move(bundle, old);
        File.Move(bundle + ".metadata.json", old + ".metadata.json");
        await RefusedAsync(1, "LB7007", "latest");
        Assert.Contains("LB7007", Run(3, "restore", "20200102_030405Z", "--yes").Errors, StringComparison.Ordinal);
    }

    /// <summary>An app with one file, backed up; the file is changed then.</summary>
    private string Backup(string encryption)
    {
        Directory.CreateDirectory(_folder["app/files"]);
        File.WriteAllText(_folder["app/files/f"], "captured");
        File.WriteAllText(
            _folder["app/lifeboat.yaml"],
            $"app: shop\nsources:\n  files: {{type: files, path: files}}\nstores:\n  local: {{path: backups}}\nencryption: {encryption}\nkeep_previous: 1h\n");
        Run(encryption == "none" ? 3 : 0, "backup");
        return Assert.Single(Directory.GetFiles(_folder["app/backups"], "*.zip"));
    }

    private string Secret()
    {
        string path = _folder["passphrase"];
        File.WriteAllText(path, Password + "\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return path;
    }

    private async Task RefusedAsync(int exit, string code, string snapshot)
    {
        await File.WriteAllTextAsync(_folder["app/files/f"], "live", TestContext.Current.CancellationToken);
        ProgramRun run = Run(exit, "restore", snapshot, "--yes");
        Assert.Contains(code, run.Errors, StringComparison.Ordinal);
        Assert.Contains("--trust", run.Errors, StringComparison.Ordinal);
        Assert.Equal("live", await File.ReadAllTextAsync(_folder["app/files/f"], TestContext.Current.CancellationToken));
    }

    private ProgramRun Run(int exit, params string[] arguments)
    {
        ProgramRun run = LifeboatProgram.Run(_folder["app"], arguments);
        Assert.True(run.ExitStatus == exit, $"{string.Join(' ', arguments)} ended with {run.ExitStatus}: {run.All}");
        return run;
    }
}
