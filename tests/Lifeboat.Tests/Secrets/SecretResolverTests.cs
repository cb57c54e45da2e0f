using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Secrets;
using Lifeboat.Tests.Shared;

namespace Lifeboat.Tests.Secrets;

public sealed class SecretResolverTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_secret_comes_from_the_environment() => Assert.Equal("s3 cret", await Resolve("env:P", ("P", "s3 cret")));

    [Theory]
    [InlineData("s3cret", "s3cret")]
    [InlineData("s3cret\n", "s3cret")]
    [InlineData("s3cret\r\n", "s3cret")]
    [InlineData("  s3cret ", "  s3cret ")]
    public async Task A_secret_comes_from_a_file_without_its_last_line_end(string content, string expected)
    {
        Write("p", content, UnixFileMode.UserRead);
        Assert.Equal(expected, await Resolve("file:p"));
        Assert.Equal(expected, await Resolve("file:" + _folder["p"]));
    }

    [Fact]
    public async Task A_secret_comes_from_a_program_run_without_a_shell_in_the_app_files_folder()
    {
        Skip_on_windows();
        Write("p q", "s3cret\n", UnixFileMode.UserRead);
        Assert.Equal("s3cret", await Resolve("command:cat 'p q'"));
        Assert.Equal("s3cret", await Resolve("command:cat \"p q\""));
        Assert.Equal("s3cret", await Resolve("command:cat p\\ q"));
        Assert.Equal("a$b", await Resolve("command:printf %s 'a$b'"));
        Write("get", "#!/bin/sh\ncat 'p q'\n", UnixFileMode.UserRead | UnixFileMode.UserExecute);
        Assert.Equal("s3cret", await Resolve("command:./get"));
    }

    [Fact]
    public async Task A_secret_comes_from_a_credential_of_systemd()
    {
        Directory.CreateDirectory(_folder["creds"]);
        Write("creds/db", "s3cret\n", UnixFileMode.UserRead | UnixFileMode.GroupRead);
        Assert.Equal("s3cret", await Resolve("credential:db", ("CREDENTIALS_DIRECTORY", _folder["creds"])));
    }

    [Theory]
    [InlineData("env:P", "env:P is not set", "set the environment variable P")]
    [InlineData("env:EMPTY", "env:EMPTY is empty", "put the secret there")]
    [InlineData("file:none", "file:none is not there", "put the secret into that file")]
    [InlineData("file:.", "is a folder", "name a file")]
    [InlineData("file:empty", "file:empty is empty", "put the secret there")]
    [InlineData("command:false", "command:false ended with status 1", "run the command by hand")]
    [InlineData("command:true", "command:true is empty", "put the secret there")]
    [InlineData("credential:db", "CREDENTIALS_DIRECTORY is not set", "LoadCredential=db")]
    public async Task A_missing_secret_says_where_it_was_looked_for_and_what_to_do(string reference, string message, string hint)
    {
        if (reference.StartsWith("command:", StringComparison.Ordinal))
            Skip_on_windows();
        Write("empty", "\n", UnixFileMode.UserRead);
        LifeboatException e = await Assert.ThrowsAsync<LifeboatException>(() => Resolve(reference, ("EMPTY", "")));
        Assert.Equal(ErrorCodes.SecretMissing, e.Code);
        Assert.Contains(message, e.Message);
        Assert.Contains(hint, e.Hint);
    }

    [Theory]
    [InlineData("hunter2\0", "NUL")]
    [InlineData("hunter2\nuser: x\n", "more than one line")]
    [InlineData("hunter2\n\n", "more than one line")]
    public async Task A_secret_that_cannot_work_is_refused_without_being_shown(string content, string message)
    {
        Write("p", content, UnixFileMode.UserRead);
        LifeboatException e = await Assert.ThrowsAsync<LifeboatException>(() => Resolve("file:p"));
        Assert.Equal(ErrorCodes.SecretUnusable, e.Code);
        Assert.Contains(message, e.Message);
        Assert.DoesNotContain("hunter2", e + e.Hint);
    }

    [Fact]
    public async Task What_a_failing_program_prints_and_is_given_is_not_shown()
    {
        Skip_on_windows();
        LifeboatException e = await Assert.ThrowsAsync<LifeboatException>(() => Resolve("command:sh -c 'echo hunter2; echo hunter2 >&2; exit 3'"));
        Assert.Contains("command:sh … ended with status 3", e.Message);
        Assert.DoesNotContain("hunter2", e + e.Hint);
    }

    [Fact]
    public async Task A_program_that_prints_without_end_is_stopped()
    {
        Skip_on_windows();
        LifeboatException e = await Assert.ThrowsAsync<LifeboatException>(() => Resolve("command:yes"));
        Assert.Contains("larger than 64 KiB", e.Message);
    }

    [Fact]
    public async Task A_missing_program_is_named()
    {
        LifeboatException e = await Assert.ThrowsAsync<LifeboatException>(() => Resolve("command:no-such-program-here hunter2"));
        Assert.Equal(ErrorCodes.ProgramMissing, e.Code);
        Assert.DoesNotContain("hunter2", e + e.Hint);
    }

    [Fact]
    public async Task A_file_that_others_can_read_is_warned_about_once()
    {
        Skip_on_windows();
        Write("open", "x\n", UnixFileMode.UserRead | UnixFileMode.OtherRead);
        Write("shut", "x\n", UnixFileMode.UserRead | UnixFileMode.UserWrite);
        TestHost host = new(_folder.Path);
        SecretResolver resolver = new(_folder.Path, host.Context);
        foreach (string name in (string[])["shut", "open", "open"])
            await resolver.ResolveAsync(new SecretReference(SecretScheme.File, name), CancellationToken.None);
        Problem warning = Assert.Single(host.Warnings);
        Assert.Equal(ErrorCodes.SecretExposed, warning.Code);
        Assert.Contains(_folder["open"], warning.Message);
        Assert.StartsWith("chmod 600", warning.Hint);
    }

    [Fact]
    public void References_and_secrets_show_no_more_than_they_may()
    {
        Assert.Equal("env:NAME", new SecretReference(SecretScheme.Env, "NAME").ToString());
        Assert.Equal("file:a/b", new SecretReference(SecretScheme.File, "a/b").ToString());
        Assert.Equal("command:vault …", new SecretReference(SecretScheme.Command, "vault login hunter2").ToString());
        Assert.Equal("[redacted]", $"{new Secret("hunter2")}");
    }

    private async Task<string> Resolve(string text, params (string Name, string Value)[] variables)
    {
        Assert.True(SecretReference.TryParse(text, out SecretReference? reference));
        TestHost host = new(_folder.Path, variables: variables.ToDictionary(static v => v.Name, static v => v.Value));
        return (await new SecretResolver(_folder.Path, host.Context).ResolveAsync(reference, TestContext.Current.CancellationToken)).Reveal();
    }

    private void Write(string name, string content, UnixFileMode mode)
    {
        File.WriteAllText(_folder[name], content);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(_folder[name], mode);
    }

    private static void Skip_on_windows() => Assert.SkipWhen(OperatingSystem.IsWindows(), "uses programs of Unix");
}
