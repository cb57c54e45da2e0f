namespace Lifeboat.Tests.Shared;

/// <summary>Skips a test where the machine lacks something; fails it where the machine must have it.</summary>
public static class Needs
{
    public static void Root() => Require(!OperatingSystem.IsWindows() && Environment.IsPrivilegedProcess, "only root can do this");

    public static void Program(string name) => Require(
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder =>
            System.IO.File.Exists(Path.Combine(folder, name))), $"{name} is not installed");

    public static void File(string path) => Require(System.IO.File.Exists(path), $"there is no {path}");

    private static void Require(bool there, string why)
    {
        if (there)
            return;
        Assert.False(Environment.GetEnvironmentVariable("CI") == "true", why);
        Assert.Skip(why);
    }
}
