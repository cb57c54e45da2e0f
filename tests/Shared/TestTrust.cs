using Lifeboat.Engine.Trust;

namespace Lifeboat.Tests.Shared;

/// <summary>What tests hand in where files are taken by whose they are.</summary>
internal static class TestTrust
{
    public static FileTrust Files { get; } = new(new TestHost(Path.GetTempPath()).Context.Host);
}
